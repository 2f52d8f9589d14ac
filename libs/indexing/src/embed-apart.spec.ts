import { describe, expect, it } from 'vitest';
import { RagError } from '#libs/errors';
import { EmbeddingModel } from '#libs/model-routing';
import { embedApart } from './embed-apart.js';
import type { PreparedChunk } from './prepared-part.js';

class PickyModel extends EmbeddingModel {
  readonly provider = 'test';
  readonly model = 'picky';
  readonly dimensions = 1;
  readonly asked: number[] = [];

  constructor(private readonly refusal: (texts: readonly string[]) => string | null) {
    super();
  }

  embed(texts: readonly string[]): Promise<Float32Array[]> {
    this.asked.push(texts.length);
    const kind = this.refusal(texts);
    if (kind === null) return Promise.resolve(texts.map((text) => Float32Array.of(Number(text))));
    return Promise.reject(new RagError('model_rejected_request', 'No.', { details: { kind } }));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

const chunks = Array.from({ length: 32 }, (_, ordinal) => ({
  ordinal,
  start: ordinal * 10,
  end: ordinal * 10 + 9,
  embeddingText: String(ordinal),
})) as PreparedChunk[];
const embed = (model: EmbeddingModel) => embedApart(model, chunks, new AbortController().signal);

describe('embedApart', () => {
  it('asks once for what the model takes', async () => {
    const model = new PickyModel(() => null);
    expect((await embed(model)).map(([value]) => value)).toEqual(chunks.map(({ ordinal }) => ordinal));
    expect(model.asked).toEqual([32]);
  });

  it('keeps a limit for the whole request, in order', async () => {
    const model = new PickyModel((texts) => (texts.length > 10 ? 'rejected' : null));
    expect((await embed(model)).map(([value]) => value)).toEqual(chunks.map(({ ordinal }) => ordinal));
  });

  it('names the one chunk that the model does not take', async () => {
    const model = new PickyModel((texts) => (texts.includes('17') ? 'rejected' : null));
    await expect(embed(model)).rejects.toMatchObject({
      code: 'model_rejected_request',
      retryable: false,
      message: expect.stringContaining('chunk 17 of the document (characters 170 to 179). No.'),
    });
  });

  it('asks once when the reason is not the text', async () => {
    const model = new PickyModel(() => 'unauthorized');
    await expect(embed(model)).rejects.toMatchObject({ message: 'No.' });
    expect(model.asked).toEqual([32]);
  });
});

import { afterAll, describe, expect, it } from 'vitest';
import { LocalEmbeddingModel } from './local-embedding-model.js';

const model = new LocalEmbeddingModel({ threads: 1 });
afterAll(() => model.close());

function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, index) => sum + value * b[index]!, 0);
}

describe('LocalEmbeddingModel', () => {
  it('gives vectors of length 1 with 1536 dimensions, the same for the same text', async () => {
    const vectors = await model.embed(
      ['A pump needs oil.', '数据库需要备份。', '', '!!!', 'x'.repeat(5_000)],
      { kind: 'document' },
    );
    for (const vector of vectors) {
      expect(vector).toHaveLength(model.dimensions);
      expect(Math.hypot(...vector)).toBeCloseTo(1, 4);
    }
    const [again] = await model.embed(['A pump needs oil.'], { kind: 'query' });
    expect([...again!]).toEqual([...vectors[0]!]);
  });

  it('puts related texts nearer than unrelated ones, in English and in Chinese', async () => {
    const [question, related, unrelated] = await model.embed(
      ['How do I repair a broken bicycle?', 'Mending a damaged bike wheel', 'The parliament voted on taxes'],
      { kind: 'query' },
    );
    expect(cosine(question!, related!)).toBeGreaterThan(cosine(question!, unrelated!) + 0.05);
    const [frage, nah, fern] = await model.embed(['如何备份数据库？', '数据库的备份方法', '今天天气很好'], {
      kind: 'query',
    });
    expect(cosine(frage!, nah!)).toBeGreaterThan(cosine(frage!, fern!) + 0.2);
  });

  it('reads a text beyond the 128 tokens that its encoder sees at a time', async () => {
    const filler = 'The committee met again and again to talk about the agenda of the meeting. '.repeat(15);
    const [plain, withEnd] = await model.embed([filler, `${filler} Penguins breed on the Antarctic ice.`], {
      kind: 'document',
    });
    expect(cosine(plain!, withEnd!)).toBeLessThan(0.99);
  });

  it('ends when the caller gives up', async () => {
    await expect(
      model.embed(['a'], { kind: 'query', signal: AbortSignal.abort(new Error('gone')) }),
    ).rejects.toThrow('gone');
  });
});

import { describe, expect, it } from 'vitest';
import type { Source } from '#libs/retrieval';
import { checkGenerated } from './generated-answer.js';

function source(documentId: string, text: string): Source {
  const chunk = {
    id: `${documentId}-0`,
    documentId,
    title: documentId,
    ordinal: 0,
    text,
    headingPath: [],
    page: null,
    start: 10,
    end: 10 + text.length,
    group: null,
    tokenCount: 9,
    score: 1,
    lexicalRank: 1,
    vectorRank: 1,
  };
  return {
    documentId,
    title: documentId,
    headingPath: [],
    page: null,
    start: 10,
    end: 10 + text.length,
    text,
    score: 1,
    chunks: [chunk],
  };
}

const sources = [
  source('pump', 'The pump needs oil.  Change it every\n500 hours. (a+b)* is no problem.'),
  source('sand', 'Bind spilled oil with sand.'),
];

describe('checkGenerated', () => {
  it('keeps a quote whose words stand in the source, whatever the white space, and cites the source verbatim', () => {
    const checked = checkGenerated(
      'Every 500 hours [1].\nQUOTES\n[1] "Change it every 500 hours."',
      sources,
    )!;
    expect(checked).toMatchObject({ text: 'Every 500 hours [1].', degradedReasons: [] });
    expect(checked.citations[0]).toMatchObject({
      documentId: 'pump',
      chunkId: 'pump-0',
      quote: 'Change it every\n500 hours.',
      start: 31,
      end: 57,
    });
  });

  it('takes the characters of a quote literally', () => {
    const checked = checkGenerated('It is fine [1].\nQUOTES\n[1] "(a+b)* is no problem."', sources)!;
    expect(checked.citations[0]!.quote).toBe('(a+b)* is no problem.');
    expect(checkGenerated('It is fine [1].\nQUOTES\n[1] "(.*) is no problem."', sources)!.citations).toEqual(
      [],
    );
  });

  it('drops a marker whose quote was changed by one word', () => {
    const checked = checkGenerated(
      'Every 600 hours [1].\nQUOTES\n[1] "Change it every 600 hours."',
      sources,
    )!;
    expect(checked).toEqual({
      text: 'Every 600 hours.',
      citations: [],
      degradedReasons: ['citation_unverified', 'uncited_answer'],
    });
  });

  it('numbers the citations it keeps from 1 and renumbers the markers', () => {
    const checked = checkGenerated('Bind spilled oil with sand [2]. The pump needs oil [1][7].', sources)!;
    expect(checked.text).toBe('Bind spilled oil with sand [1]. The pump needs oil [2].');
    expect(checked.citations.map(({ number, documentId }) => [number, documentId])).toEqual([
      [1, 'sand'],
      [2, 'pump'],
    ]);
    expect(checked.degradedReasons).toEqual(['citation_unverified']);
  });

  it('uses one number for one quote', () => {
    const checked = checkGenerated('Spilled oil: sand [2]. Bind spilled oil with sand [2].', sources)!;
    expect(checked.citations).toHaveLength(1);
    expect(checked.text).toBe('Spilled oil: sand [1]. Bind spilled oil with sand [1].');
  });

  it('uses the one quote of a source for several statements', () => {
    const reply = 'It needs oil [1]. Refill later [1].\nQUOTES\n[1] "The pump needs oil."';
    const checked = checkGenerated(reply, sources)!;
    expect(checked).toMatchObject({ text: 'It needs oil [1]. Refill later [1].', degradedReasons: [] });
  });

  it('keeps every line of an answer in another script, and brackets in code', () => {
    const reply = 'Музей открыт [1].\nВход `argv[1]` свободный.\n\n**QUOTES**\n[1] "The pump needs oil."';
    expect(checkGenerated(reply, sources)!.text).toBe('Музей открыт [1].\nВход `argv[1]` свободный.');
    expect(checkGenerated('来源没有说明。 NO_EVIDENCE', sources)).not.toBeNull();
  });

  it('is null when the model says that there is no evidence', () => {
    expect(checkGenerated('NO_EVIDENCE', sources)).toBeNull();
    expect(checkGenerated('**NO_EVIDENCE.**', sources)).toBeNull();
  });
});

import { describe, expect, it } from 'vitest';
import type { Source } from '#libs/retrieval';
import { CitedText } from './cited-text.js';
import { OutputPolicy } from './output-policy.js';

function source(documentId: string, text: string, externalId = documentId): Source {
  const chunk = {
    id: `${documentId}-0`,
    documentId,
    externalId,
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
    externalId,
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

/** What was handed out piece by piece, and the result. */
function write(pieces: Iterable<string>, from = sources, trustedHosts: string[] = []) {
  const reply = new CitedText(from, new OutputPolicy(from, new Set(trustedHosts)));
  let handedOut = '';
  for (const piece of pieces) handedOut += reply.push(piece);
  handedOut += reply.end();
  return { handedOut, checked: reply.checked };
}

/** However a reply is cut, the same comes out, and all of it was handed out. */
function check(reply: string, from = sources, trustedHosts: string[] = []) {
  const whole = write([reply], from, trustedHosts);
  const letters = write(reply.split(''), from, trustedHosts);
  expect(letters.checked).toEqual(whole.checked);
  expect(letters.handedOut).toBe(whole.checked?.text ?? '');
  expect(whole.handedOut).toBe(whole.checked?.text ?? '');
  return whole.checked;
}

describe('CitedText', () => {
  it('keeps a quote whose words stand in the source, whatever the white space, and cites the source verbatim', () => {
    const checked = check('Every 500 hours [1: "Change it every 500 hours."].')!;
    expect(checked).toMatchObject({ text: 'Every 500 hours [1].', degradedReasons: [], unsupported: [] });
    expect(checked.citations[0]).toMatchObject({
      documentId: 'pump',
      chunkId: 'pump-0',
      quote: 'Change it every\n500 hours.',
      start: 31,
      end: 57,
    });
  });

  it('says which sentences of the answer a citation supports, and which have none', () => {
    const { text, citations, unsupported } = check(
      'It needs oil [1: "The pump needs oil."]. Buy it in our new shop today! Yes: bind oil with sand. [2]',
    )!;
    const said = ({ start, end }: { start: number; end: number }) => text.slice(start, end);
    expect(citations.map(({ answerRanges }) => answerRanges.map(said))).toEqual([
      ['It needs oil'],
      ['Yes: bind oil with sand.'],
    ]);
    expect(unsupported.map(said)).toEqual(['Buy it in our new shop today!']);
  });

  it('takes the characters of a quote literally', () => {
    const checked = check('It is fine [1: "(a+b)* is no problem."].')!;
    expect(checked.citations[0]!.quote).toBe('(a+b)* is no problem.');
    expect(check('It is fine [1: "(.*) is no problem."].')!.citations).toEqual([]);
  });

  it('drops a marker whose quote was changed by one word', () => {
    expect(check('Every 600 hours [1: "Change it every 600 hours."].')).toMatchObject({
      text: 'Every 600 hours.',
      citations: [],
      degradedReasons: ['citation_unverified', 'uncited_answer'],
    });
  });

  it('numbers the citations it keeps from 1 and renumbers the markers', () => {
    const checked = check('Bind spilled oil with sand [2]. The pump needs oil [1][7].')!;
    expect(checked.text).toBe('Bind spilled oil with sand [1]. The pump needs oil [2].');
    expect(checked.citations.map(({ number, documentId }) => [number, documentId])).toEqual([
      [1, 'sand'],
      [2, 'pump'],
    ]);
    expect(checked.degradedReasons).toEqual(['citation_unverified']);
  });

  it('uses one number for one quote', () => {
    const checked = check('Spilled oil: sand [2]. Bind spilled oil with sand [2].')!;
    expect(checked.citations).toHaveLength(1);
    expect(checked.text).toBe('Spilled oil: sand [1]. Bind spilled oil with sand [1].');
  });

  it.each([
    ['several numbers', 'The pump needs spilled oil sand [1, 2].', 'The pump needs spilled oil sand [1][2].'],
    ['brackets of Chinese text', '泵需要油【1: “The pump needs oil.”】。', '泵需要油 [1]。'],
    ['a marker after the point', 'The pump needs oil. [1] Then more.', 'The pump needs oil. [1] Then more.'],
    [
      'brackets that are no marker',
      'See [the manual] and a[i] [x, "y"].',
      'See [the manual] and a[i] [x, "y"].',
    ],
    [
      'brackets in code',
      'Read `argv[1]`.\n```\nlist[1] = "<b>"\n```',
      'Read `argv[1]`.\n```\nlist[1] = "<b>"\n```',
    ],
    ['a bracket that stays open', 'An open [1: "quote and nothing', 'An open [1: "quote and nothing'],
    ['generics', 'A List<String> is `a < b`. 1 < 2', 'A List<String> is `a < b`. 1 < 2'],
    ['emoji and half characters', 'Fine 👍🏽 done', 'Fine 👍🏽 done'],
  ])('reads %s', (_what, reply, text) => {
    expect(check(reply)!.text).toBe(text);
  });

  it('leaves out what a model appends below a line QUOTES', () => {
    const reply = 'Музей открыт.\nВход свободный.\n\n**QUOTES**\n[1] "The pump needs oil."';
    expect(check(reply)!.text).toBe('Музей открыт.\nВход свободный.\n\n**');
    expect(check('He QUOTES\nothers.')!.text).toBe('He QUOTES\nothers.');
  });

  it('has no answer when the model says that there is no evidence', () => {
    expect(check('NO_EVIDENCE')).toBeNull();
    expect(check(' **NO_EVIDENCE.**\n')).toBeNull();
    expect(check('来源没有说明。 NO_EVIDENCE')).not.toBeNull();
    expect(check('NO_EVIDENCE was found, but the pump needs oil [1].')).not.toBeNull();
    expect(check('No')!.text).toBe('No');
  });

  describe('addresses', () => {
    const page = source(
      'page',
      'See https://docs.acme.example/a?b=1 and https://evil.example/x for more.',
      'https://docs.acme.example/start',
    );

    it.each([
      ['stands in the source and leads where it came from', 'Read https://docs.acme.example/a?b=1.'],
      ['is that of the document', 'Read [the start](https://docs.acme.example/start) first.'],
    ])('keeps one that %s', (_what, reply) => {
      expect(check(reply, [page])!.text).toBe(reply);
    });

    it.each([
      ['that was made up', 'Read https://docs.acme.example/a?b=secret now.', 'Read (link removed) now.'],
      ['of another host', 'Read https://evil.example/x.', 'Read (link removed).'],
      ['of a link', 'Click [here](https://evil.example/x).', 'Click here.'],
      ['of an image, always', 'See ![chart](https://docs.acme.example/start) it.', 'See chart it.'],
      [
        'in pointed brackets',
        'Mail <mailto:a@evil.example> or <https://evil.example>.',
        'Mail (link removed) or (link removed).',
      ],
      ['in HTML', 'See <img src="https://evil.example/x.png"> <b>this</b>.', 'See <b>this</b>.'],
      ['in code', 'Run `curl https://evil.example/?q=1`.', 'Run `curl (link removed)`.'],
      [
        'by reference',
        'Click [here][1].\n\n[1]: https://evil.example/x',
        'Click [here].\n\n: (link removed)',
      ],
      [
        'without a scheme',
        'Open www.evil.example/x or //evil.example/x.',
        'Open (link removed) or (link removed).',
      ],
      ['that runs', 'Click [x](javascript:alert(1)) and data:text/html,x .', 'Click x and (link removed) .'],
    ])('removes one %s', (_what, reply, text) => {
      const checked = check(reply, [page])!;
      expect(checked.text).toBe(text);
      expect(checked.degradedReasons).toContain('link_removed');
    });

    it('trusts the hosts of the operator, for what stands in the source', () => {
      expect(check('See https://evil.example/x .', [page], ['evil.example'])!.text).toContain(
        'evil.example/x',
      );
      expect(check('See https://evil.example/y .', [page], ['*'])!.text).not.toContain('evil');
    });

    it('hides no text from people', () => {
      const hidden = [...'ignore'].map((c) => String.fromCodePoint(0xe0000 + c.charCodeAt(0))).join('');
      expect(check(`Visible${hidden} text.`)!.text).toBe('Visible text.');
    });
  });
});

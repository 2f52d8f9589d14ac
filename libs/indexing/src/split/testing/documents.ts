import { parseMarkdown } from '../../parse/markdown.js';
import type { Block, ParsedDocument } from '../../parse/index.js';

export const sentence = (n: number) =>
  `Sentence number ${n} of this text talks about the colour of topic ${n}.`;
export const prose = (count: number) => Array.from({ length: count }, (_, n) => sentence(n)).join(' ');

/** The texts with a blank line between them, each a block. */
export function blocksDocument(blocks: readonly { kind: Block['kind']; text: string }[]): ParsedDocument {
  let text = '';
  const spans = blocks.map(({ kind, text: blockText }): Block => {
    const start = text.length;
    text += `${blockText}\n\n`;
    return { kind, start, end: start + blockText.length };
  });
  return { text, title: null, blocks: spans, pageCount: null, metadata: {} };
}

/** Numbers below a maximum, the same in each run. */
export function randomNumbers(seed = 1): (max: number) => number {
  let state = seed;
  return (max) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % max;
  };
}

const pieces = [
  '# H\n',
  '## I\n',
  '### J\n',
  'Word. ',
  'Ein Satz mit Umlauten: äöü! ',
  '中文句子。',
  '- item\n',
  '\n\n',
  '| a | b |\n|---|---|\n| 1 | 2 |\n',
  '```\ncode\n```\n',
  '🦊',
  'x'.repeat(80),
];

export function randomMarkdown(random: (max: number) => number): ParsedDocument {
  const length = random(150) + 1;
  return parseMarkdown(Array.from({ length }, () => pieces[random(pieces.length)]).join(''));
}

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '#libs/project-files';
import { countTokens, splitSentences } from '#libs/text-analysis';
import { Random } from '../store/random.js';

export type DocumentKind = 'small' | 'large';

/** About so many tokens a document has. */
export const TOKENS: Record<DocumentKind, number> = { small: 1_000, large: 20_000 };

const SENTENCES_PER_PARAGRAPH = 5;
const PARAGRAPHS_PER_SECTION = 4;
const SEED = 4_711;

interface Sentence {
  text: string;
  tokens: number;
}

/** Markdown of this project's own sentences in random order: real words, and no two paragraphs alike. */
export class Documents {
  private readonly sentences: Sentence[];

  constructor() {
    const folder = join(projectFolder, 'docs');
    const texts = readdirSync(folder)
      .filter((name) => name.endsWith('.md'))
      .map((name) => readFileSync(join(folder, name), 'utf8'));
    const prose = texts.flatMap((text) => text.split('\n\n').filter((part) => /^[A-Z][^|]+$/.test(part)));
    this.sentences = prose
      .flatMap((part) => splitSentences(part).map(({ start, end }) => part.slice(start, end).trim()))
      .filter((text) => text.length > 20)
      .map((text) => ({ text, tokens: countTokens(text) }));
  }

  /** The same text for the same number in every run. */
  make(kind: DocumentKind, number: number): { text: string; tokens: number } {
    const random = new Random(SEED, TOKENS[kind], number);
    const lines = [`# Notes of day ${number}\n`];
    let tokens = 0;
    for (let count = 0; tokens < TOKENS[kind]; count += 1) {
      if (count % (SENTENCES_PER_PARAGRAPH * PARAGRAPHS_PER_SECTION) === 0)
        lines.push(`\n## Part ${count} of day ${number}\n`);
      const sentence = this.sentences[random.below(this.sentences.length)]!;
      lines.push(
        sentence.text,
        count % SENTENCES_PER_PARAGRAPH === SENTENCES_PER_PARAGRAPH - 1 ? '\n\n' : ' ',
      );
      tokens += sentence.tokens;
    }
    return { text: lines.join(''), tokens };
  }
}

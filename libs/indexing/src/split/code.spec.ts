import { describe, expect, it } from 'vitest';
import type { Block, ParsedDocument } from '../parse/index.js';
import { splitDocument } from './index.js';
import { expectApart, expectSound } from './testing/expect-sound.js';

const limits = { chunkTokensMax: 100, overlapTokens: 20 };

/** Parts of source divided by lines of `---`: definitions, or code outside of any when they begin with `import`. */
function sourceDocument(source: string): ParsedDocument {
  let text = '';
  const blocks: Block[] = [];
  for (const part of source.split('---\n')) {
    const indentation = part.length - part.trimStart().length;
    const start = text.length + indentation;
    text += part;
    const kind = part.startsWith('import') ? 'code' : 'definition';
    blocks.push({ kind, start, end: text.trimEnd().length });
  }
  return { text, title: null, blocks, pageCount: null, metadata: {} };
}

const typescript = sourceDocument(`import { read } from 'files';

---
/** Adds. */
export function add(a: number, b: number): number {
  return a + b;
}

---
const twice = (value: number): number => value * 2;

---
/**
 * Keeps accounts.
 */
@Injectable()
export class Ledger extends Book {
  private total = 0;

${Array.from(
  { length: 6 },
  (_, n) => `  /** Books number ${n}. */
  async book${n}(amount: number, account: string): Promise<void> {
    if (amount > ${n}) this.total += amount;
    for (const entry of this.entries) entry.check(account);
    await this.store.write({ amount, account, number: ${n} });
  }
`,
).join('\n')}}

---
interface Entry {
  check(account: string): void;
}
`);

describe.each(['code', 'structural'] as const)(
  'the chunker of source code, by the strategy %s',
  (strategy) => {
    const settings = { ...limits, strategy };

    it('packs whole definitions', () => {
      const chunks = splitDocument(typescript, settings);
      expectSound(typescript, chunks, 100);
      expectApart(chunks);
      expect(chunks[0]!.text).toMatch(/^import[^]*function add[^]*twice[^]*\* 2;$/);
      expect(chunks.at(-1)!.text).toMatch(/^interface Entry \{[^]*\}$/);
      expect(chunks.at(-1)!.headingPath).toEqual(['Entry']);
    });

    it('cuts a long definition between its lines and says what each piece is part of', () => {
      const paths = splitDocument(typescript, settings).map(({ headingPath }) => headingPath.join('/'));
      expect(paths[1]).toBe('Ledger');
      expect(paths.slice(1, -1).every((path) => path.startsWith('Ledger'))).toBe(true);
      const long = sourceDocument(`class Report:
    """Prints."""

    def total(self, rows):
${Array.from({ length: 30 }, (_, n) => `        self.lines.append(rows[${n}].amount * self.rate + ${n})`).join('\n')}
        return sum(self.lines)
`);
      const pieces = splitDocument(long, settings);
      expectSound(long, pieces, 100);
      expect(pieces.length).toBeGreaterThan(3);
      expect(pieces[0]!.headingPath).toEqual(['Report']);
      for (const { headingPath } of pieces.slice(1)) expect(headingPath).toEqual(['Report', 'total']);
    });

    it('names methods below their class when each is a definition of its own', () => {
      const document = sourceDocument(`class Outer {
---
  first(value: number) {
    return value;
  }
---
  second() {
    return 2;
  }
}
---
function alone() {
  return 3;
}
`);
      const chunks = splitDocument(document, { ...settings, chunkTokensMax: 20, overlapTokens: 0 });
      expectSound(document, chunks, 20);
      expect(chunks.map(({ headingPath }) => headingPath.join('/'))).toEqual([
        'Outer',
        'Outer/second',
        'alone',
      ]);
    });

    it.each([
      ['export default async function load(path) {', 'load'],
      ['export const twice = (value: number) => value * 2;', 'twice'],
      ['public static <T extends Item> List<T> listOf(T item) {', 'listOf'],
      ['func (s *Server) Handle(w http.ResponseWriter, r *http.Request) {', 'Handle'],
      ['pub fn parse<T>(input: &str) -> Result<T> {', 'parse'],
      ['impl<T> Display for Wrapper<T> {', 'Display'],
      ['def __init__(self, name):', '__init__'],
      ['static int compare(const void *a, const void *b) {', 'compare'],
      ['struct point { int x; int y; };', 'point'],
      ['class Account < Base', 'Account'],
    ])('names %s', (line, name) => {
      const document = sourceDocument(`${line}\n  body\n`);
      expect(splitDocument(document, settings)[0]!.headingPath).toEqual([name]);
    });
  },
);

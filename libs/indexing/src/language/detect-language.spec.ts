import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { detectLanguage } from './detect-language.js';

/** The messages of the TypeScript compiler, thousands of sentences in each language that it ships. */
async function compilerMessages(folder: string): Promise<string[]> {
  const file = createRequire(import.meta.url).resolve(
    `typescript/lib/${folder}/diagnosticMessages.generated.json`,
  );
  return Object.values(JSON.parse(await readFile(file, 'utf8')) as Record<string, string>);
}

describe('detectLanguage', () => {
  it.each([
    ['de', 'german'],
    ['es', 'spanish'],
    ['fr', 'french'],
    ['it', 'italian'],
    ['pt-br', 'portuguese'],
    ['ru', 'russian'],
    ['tr', 'turkish'],
    ['cs', 'simple'],
    ['pl', 'simple'],
    ['ja', 'simple'],
    ['ko', 'simple'],
    ['zh-cn', 'simple'],
  ])('names the text-search configuration of short technical texts in %s', async (folder, configuration) => {
    const messages = await compilerMessages(folder);
    const wrong: string[] = [];
    for (let first = 0; first < 300; first += 5) {
      const text = messages.slice(first, first + 5).join('\n\n');
      const found = await detectLanguage(text);
      if (found !== null && found !== configuration) wrong.push(`${found}: ${text}`);
    }
    expect(wrong).toEqual([]);
    expect(await detectLanguage(messages.join('\n\n'))).toBe(configuration);
  });

  it('says nothing where no language is clear', async () => {
    const german = (await compilerMessages('de')).slice(0, 60).join(' ');
    const french = (await compilerMessages('fr')).slice(0, 60).join(' ');
    expect(await detectLanguage(`${german}\n\n${french}`)).toBeNull();
    expect(await detectLanguage('')).toBeNull();
    expect(await detectLanguage('1; 2; 3\n'.repeat(500))).toBeNull();
    expect(await detectLanguage('OK')).toBeNull();
  });

  it('looks at the whole of a long text, not at its start', async () => {
    const german = (await compilerMessages('de')).join(' ');
    expect(await detectLanguage(`Copyright notice. All rights reserved, as is usual.\n\n${german}`)).toBe(
      'german',
    );
  });

  it('reads a sentence', async () => {
    expect(await detectLanguage('Die Sicherung läuft jede Nacht um zwei Uhr und dauert zehn Minuten.')).toBe(
      'german',
    );
    expect(await detectLanguage('The backup runs at two each night and takes ten minutes.')).toBe('english');
  });
});

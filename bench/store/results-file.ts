import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { projectFolder } from '#libs/project-files';
import type { Section } from './report.js';

export interface ResultsFile {
  /** In the folder bench. */
  name: string;
  /** Markdown above the sections. */
  method: string;
}

/** Replaces the sections that were measured and leaves the others as they are. */
export async function writeSections(
  { name, method }: ResultsFile,
  sections: readonly Section[],
): Promise<void> {
  const file = join(projectFolder, 'bench', name);
  const old = await readFile(file, 'utf8').catch(() => '');
  const kept = new Map(
    old
      .split(/^## /m)
      .slice(1)
      .map((part) => [part.split('\n', 1)[0]!, part.slice(part.indexOf('\n')).trim()]),
  );
  for (const { title, body } of sections) kept.set(title, body.trim());
  const parts = [...kept].map(([title, body]) => `## ${title}\n\n${body}\n`);
  const markdown = [method, ...parts].join('\n');
  const style = await resolveConfig(file);
  await writeFile(file, await format(markdown, { ...style, parser: 'markdown' }));
}

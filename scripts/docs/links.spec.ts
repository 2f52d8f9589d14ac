import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { projectFolder } from '#libs/project-files';

async function pages(): Promise<string[]> {
  const found = ['README.md'];
  for (const folder of ['docs', 'bench', 'evaluation']) {
    const entries = await readdir(join(projectFolder, folder), { recursive: true });
    found.push(...entries.filter((name) => name.endsWith('.md')).map((name) => join(folder, name)));
  }
  return found.filter((name) => !name.includes('node_modules'));
}

/** As GitHub makes them: https://github.com/gjtorikian/html-pipeline, lower case, without punctuation. */
function anchorsOf(page: string): Set<string> {
  const headings = page.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/^#{1,6} +(.+)$/gm);
  return new Set(
    [...headings].map(([, heading]) =>
      heading!
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replaceAll(' ', '-'),
    ),
  );
}

it('leads from each page of the documentation to pages and sections that are there', async () => {
  const broken: string[] = [];
  let count = 0;
  for (const name of await pages()) {
    const path = join(projectFolder, name);
    const text = (await readFile(path, 'utf8')).replaceAll(/^```[\s\S]*?^```/gm, '');
    for (const [, target] of text.matchAll(/\]\(((?!https?:|mailto:)[^)\s]+)\)/g)) {
      const [file = '', anchor] = target!.split('#', 2);
      const to = file === '' ? path : resolve(dirname(path), decodeURI(file));
      count += 1;
      if (!existsSync(to)) broken.push(`${name}: ${target}`);
      else if (anchor && !anchorsOf(await readFile(to, 'utf8')).has(anchor))
        broken.push(`${name}: ${target} (no such section in ${relative(projectFolder, to)})`);
    }
  }
  expect(broken).toEqual([]);
  expect(count).toBeGreaterThan(50);
});

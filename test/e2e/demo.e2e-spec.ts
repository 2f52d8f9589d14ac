import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectFolder } from '#libs/project-files';
import { ServerProcess } from '../support/server-process.js';

it('the demo indexes the samples, answers its four questions from the right documents and exits 0', async () => {
  const demo = ServerProcess.run(['dist/apps/cli/src/main.js', 'demo'], {});
  await demo.ended();
  expect(demo.output).toContain('Done in');
  expect(demo.exitCode).toBe(0);
  const questions = JSON.parse(await readFile(join(projectFolder, 'samples/questions.json'), 'utf8')) as {
    question: string;
    expect: { status: string; phrases: string[] };
  }[];
  const parts = demo.output.split('\nQ: ').slice(1);
  expect(parts).toHaveLength(questions.length);
  for (const [index, { question, expect: expected }] of questions.entries()) {
    expect(parts[index]).toContain(question);
    expect(parts[index]).toMatch(new RegExp(`^   ${expected.status}, model extractive`, 'm'));
    for (const phrase of expected.phrases) expect(parts[index]).toContain(phrase);
  }
}, 120_000);

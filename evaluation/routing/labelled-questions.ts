import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Complexity } from '#libs/model-routing';
import { projectFolder } from '#libs/project-files';

export interface LabelledQuestion {
  question: string;
  label: Complexity;
  /** Rules were written looking at the other half only. */
  isHeldOut: boolean;
}

/** The questions of questions.txt; which half one belongs to depends on nothing but its text. */
export async function readLabelledQuestions(): Promise<LabelledQuestion[]> {
  const text = await readFile(join(projectFolder, 'evaluation', 'routing', 'questions.txt'), 'utf8');
  let label: Complexity | null = null;
  const questions: LabelledQuestion[] = [];
  for (const line of text.split('\n').map((raw) => raw.trim())) {
    if (line === '' || line.startsWith('#')) continue;
    const heading = /^\[(simple|medium|complex)\]$/.exec(line)?.[1] as Complexity | undefined;
    if (heading) {
      label = heading;
      continue;
    }
    if (!label) throw new Error(`a question before the first label: ${line}`);
    const isHeldOut = createHash('sha256').update(line).digest()[0]! % 2 === 1;
    questions.push({ question: line, label, isHeldOut });
  }
  return questions;
}

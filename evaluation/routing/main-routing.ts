import { join } from 'node:path';
import { readConfig } from '#libs/config';
import { projectFolder } from '#libs/project-files';
import { evaluateRouting, type RoutingResult } from './evaluate-routing.js';
import { readLabelledQuestions } from './labelled-questions.js';

/** `npm run eval:routing [-- --errors]`: the complexity router on the labelled questions, priced by models.yaml. */
const MODELS_FILE = join(projectFolder, 'models.yaml');
const { models } = readConfig({ MODELS_FILE, OPENAI_API_KEY: 'none', ANTHROPIC_API_KEY: 'none' });
const all = await readLabelledQuestions();
const halves = {
  'written with': all.filter(({ isHeldOut }) => !isHeldOut),
  'held out': all.filter(({ isHeldOut }) => isHeldOut),
};
for (const [name, questions] of Object.entries(halves)) print(name, evaluateRouting(questions, models));

function print(name: string, result: RoutingResult): void {
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  console.log(`\n${name}: ${result.questions} questions, ${result.microsecondsEach.toFixed(0)} us each`);
  console.table(result.confusion);
  console.log(
    `  below their label ${percent(result.underRoutedShare)}, above it ${percent(result.overRoutedShare)}`,
  );
  console.log(
    `  cost against always asking the complex chain: ${percent(result.costShare - 1)} (without any mistake ${percent(result.costShareOfPerfect - 1)})`,
  );
  // Looking at the held-out half would spoil it.
  if (process.argv.includes('--errors') && name !== 'held out') {
    for (const error of [...result.underRouted, ...result.overRouted]) console.log(`    ${error}`);
  }
}

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readConfig } from '#libs/config';
import { projectFolder } from '#libs/project-files';
import { evaluateRouting } from './evaluate-routing.js';
import { readLabelledQuestions } from './labelled-questions.js';

describe('the complexity router on the labelled questions', () => {
  it('sends at most 2 % of the held-out half below their label, and saves what can be saved within a point', async () => {
    const MODELS_FILE = join(projectFolder, 'models.yaml');
    const { models } = readConfig({ MODELS_FILE, OPENAI_API_KEY: 'none', ANTHROPIC_API_KEY: 'none' });
    const all = await readLabelledQuestions();
    expect(all.length).toBeGreaterThanOrEqual(300);
    expect(new Set(all.map(({ question }) => question)).size).toBe(all.length);
    const heldOut = all.filter(({ isHeldOut }) => isHeldOut);
    expect(heldOut.length / all.length).toBeCloseTo(0.5, 1);
    const result = evaluateRouting(heldOut, models);
    expect(result.underRoutedShare).toBeLessThanOrEqual(0.02);
    expect(result.costShare).toBeLessThanOrEqual(0.27);
    expect(result.costShare - result.costShareOfPerfect).toBeLessThan(0.01);
  });
});

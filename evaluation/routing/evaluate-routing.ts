import type { ModelConfig, ModelsConfig } from '#libs/config';
import { assessComplexity, type Complexity, priceAt } from '#libs/model-routing';

const order: Complexity[] = ['simple', 'medium', 'complex'];
/** What an answer reads and writes: 5 sources, and the longer the harder. The same for every model that answers it. */
const INPUT_TOKENS = 3_000;
const outputTokens: Record<Complexity, number> = { simple: 80, medium: 250, complex: 600 };

export interface RoutingResult {
  questions: number;
  /** rows: label, columns: routed to. */
  confusion: Record<Complexity, Record<Complexity, number>>;
  underRoutedShare: number;
  overRoutedShare: number;
  costShare: number;
  /** Of a router that makes no mistake: the share of complex questions bounds what can be saved. */
  costShareOfPerfect: number;
  microsecondsEach: number;
  underRouted: string[];
  overRouted: string[];
}

/** Routes each question and prices it at the first model of its chain, against all of them at the complex one. */
export function evaluateRouting(
  questions: readonly { question: string; label: Complexity }[],
  models: ModelsConfig,
): RoutingResult {
  const confusion = Object.fromEntries(
    order.map((label) => [label, Object.fromEntries(order.map((routed) => [routed, 0]))]),
  ) as RoutingResult['confusion'];
  const underRouted: string[] = [];
  const overRouted: string[] = [];
  let [cost, costOfPerfect, costOfAlwaysComplex] = [0, 0, 0];
  const start = performance.now();
  const routed = questions.map(({ question }) => assessComplexity({ question }).complexity);
  const microsecondsEach = ((performance.now() - start) * 1_000) / questions.length;
  for (const [index, { question, label }] of questions.entries()) {
    const to = routed[index]!;
    confusion[label][to] += 1;
    if (order.indexOf(to) < order.indexOf(label)) underRouted.push(`${label} -> ${to}: ${question}`);
    if (order.indexOf(to) > order.indexOf(label)) overRouted.push(`${label} -> ${to}: ${question}`);
    cost += costOf(label, firstModel(models, to));
    costOfPerfect += costOf(label, firstModel(models, label));
    costOfAlwaysComplex += costOf(label, firstModel(models, 'complex'));
  }
  return {
    questions: questions.length,
    confusion,
    underRoutedShare: underRouted.length / questions.length,
    overRoutedShare: overRouted.length / questions.length,
    costShare: cost / costOfAlwaysComplex,
    costShareOfPerfect: costOfPerfect / costOfAlwaysComplex,
    microsecondsEach,
    underRouted,
    overRouted,
  };
}

function firstModel({ models, chains, routes }: ModelsConfig, complexity: Complexity): ModelConfig {
  return models[chains[routes.answer[complexity]]![0]!]!;
}

function costOf(label: Complexity, { prices }: ModelConfig): number {
  const price = priceAt(prices)!;
  return INPUT_TOKENS * price.input + outputTokens[label] * price.output;
}

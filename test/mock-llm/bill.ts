import { countTokens } from '#libs/text-analysis';
import { type MockMessage, textOf } from './default-responder.js';

const COUNTS_MAX = 10_000;
const counts = new Map<string, number>();

/** What a provider would put on the invoice: completed calls, and the tokens of streams that it sent before a cut. */
export class Bill {
  calls = 0;
  completed = 0;
  inputTokens = 0;
  outputTokens = 0;

  charge(inputTokens: number, outputTokens: number, completed: boolean): void {
    this.inputTokens += inputTokens;
    this.outputTokens += outputTokens;
    if (completed) this.completed += 1;
  }

  /** Of a request that got no reply. */
  chargeInput({ messages, system }: Record<string, unknown>): void {
    const all = [...((messages as MockMessage[] | undefined) ?? []), { role: 'system', content: system }];
    this.charge(countMessages(all), 0, false);
  }

  reset(): void {
    Object.assign(this, { calls: 0, completed: 0, inputTokens: 0, outputTokens: 0 });
  }
}

export function countMessages(messages: readonly MockMessage[]): number {
  return messages.reduce((sum, message) => sum + countCached(textOf(message)), 0);
}

/** Tokens; benchmarks send the same texts again and again. */
export function countCached(text: string): number {
  const known = counts.get(text);
  if (known !== undefined) return known;
  const counted = countTokens(text);
  if (counts.size > COUNTS_MAX) counts.clear();
  counts.set(text, counted);
  return counted;
}

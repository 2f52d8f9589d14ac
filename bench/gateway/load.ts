import { Pool } from 'undici';

export interface Load {
  requests: number;
  failures: number;
  requestsPerSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** To the first token, of streams. */
  firstTokenP50Ms: number | null;
}

export interface LoadOptions {
  concurrency: number;
  requests: number;
  isStreamed?: boolean;
  headers?: Record<string, string>;
  /** Called after each request, with how many are done. */
  onProgress?: (done: number) => void;
}

export const questionBody = (isStreamed: boolean, number: number): string =>
  JSON.stringify({
    model: 'mock',
    stream: isStreamed,
    max_tokens: 100,
    temperature: 0,
    messages: [
      { role: 'system', content: 'You answer from the manual of the pump P-100, briefly.' },
      { role: 'user', content: `How often is the oil of pump ${number % 200} changed?` },
    ],
  });

/** A closed loop of clients over keep-alive connections. A stream counts when its end mark came. */
export async function load(url: string, options: LoadOptions): Promise<Load> {
  const { concurrency, requests, isStreamed = false, headers = {}, onProgress } = options;
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections: concurrency });
  const latencies: number[] = [];
  const firstTokens: number[] = [];
  let [begun, failures] = [0, 0];
  const client = async (): Promise<void> => {
    while (begun < requests) {
      begun += 1;
      const start = performance.now();
      try {
        const response = await pool.request({
          path: `${pathname}/chat/completions`,
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: 'Bearer sk-bench', ...headers },
          body: questionBody(isStreamed, begun),
        });
        let text = '';
        for await (const part of response.body as AsyncIterable<Buffer>) {
          if (text === '') firstTokens.push(performance.now() - start);
          text += part.toString();
        }
        const isWhole = isStreamed ? text.includes('[DONE]') : text.includes('oil of pump');
        if (response.statusCode !== 200 || !isWhole) failures += 1;
      } catch {
        failures += 1;
      }
      latencies.push(performance.now() - start);
      onProgress?.(latencies.length);
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: concurrency }, client));
  const seconds = (performance.now() - start) / 1_000;
  await pool.close();
  return {
    requests,
    failures,
    requestsPerSecond: requests / seconds,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    firstTokenP50Ms: isStreamed ? quantile(firstTokens, 0.5) : null,
  };
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

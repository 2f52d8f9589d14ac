import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { projectFolder } from '#libs/project-files';
import type { BatchingResult } from './batching.js';
import type { OverloadResult } from './overload.js';

export interface Row {
  name: string;
  /** Streams whose tokens come together, or one after the other. */
  mode: 'whole' | 'streamed' | 'apart';
  requestsPerSecond: number;
  p50Ms: number;
  p99Ms: number;
  cpuUs: number;
  firstTokenP50Ms: number | null;
  failures: number;
}

export interface Outage {
  requests: number;
  failures: number;
  p50Ms: number;
  p99Ms: number;
}

const titles = [
  ['whole', 'Whole answers'],
  ['streamed', 'Streams whose tokens come in one packet'],
  ['apart', 'Streams with a token every 2 ms'],
] as const;
const number = (value: number, digits = 1) => value.toFixed(digits);

/** bench/GATEWAY.md */
export async function writeResults({
  rows,
  overload,
  outage,
  batching,
}: {
  rows: Row[];
  overload: OverloadResult;
  outage: Outage;
  batching: BatchingResult[];
}): Promise<void> {
  const markdown = `# The model router in numbers

Measured with \`npm run bench:gateway\`: clients, servers and the mock model server share the processor cores of one
machine, each server is a process of its own, 32 clients in a closed loop, medians of 3 rounds that take turns. The
processor time is that of the server's process. Milliseconds say little about another machine; the ratios count.

${titles.map(([mode, title]) => `## ${title}\n\n${table(rows.filter((row) => row.mode === mode))}`).join('\n\n')}

${besidePeer(rows)}Portkey's server answers 500 to streams with a custom host ("TypeError: immutable", Node 20 and 24): not compared.

## The primary is killed in the middle of a run

${outage.requests} requests through the router, the primary killed after a third of them: ${outage.failures} failures seen by a
client, p50 ${number(outage.p50Ms)} ms, p99 ${number(outage.p99Ms)} ms.

## Three times as many requests as the model can take

A model that takes 50 ms and 16 calls at a time, 16 may wait: ${number(overload.peakPerSecond, 0)} answers a second at its best (p99
${number(overload.peakP99Ms)} ms). ${overload.offered} requests arrive at ${number(overload.offeredPerSecond, 0)} a second: ${number(overload.acceptedPerSecond, 0)} a second are answered
(${number(overload.acceptedPerSecond / overload.peakPerSecond, 2)} of the best, p99 ${number(overload.acceptedP99Ms)} ms), ${overload.refused} get 503 (p99 ${number(overload.refusedP99Ms)} ms), ${overload.otherFailures} fail otherwise.

## Questions embedded together

| model | 100 at once, one call each | batched | ratio | alone p50 | alone p50, batcher before it |
| --- | --- | --- | --- | --- | --- |
${batching.map((row) => `| ${row.model} | ${number(row.oneByOneMs, 0)} ms | ${number(row.batchedMs, 0)} ms | ${number(row.oneByOneMs / row.batchedMs)} x | ${number(row.aloneP50Ms, 2)} ms | ${number(row.aloneBatchedP50Ms, 2)} ms |`).join('\n')}
`;
  const file = join(projectFolder, 'bench', 'GATEWAY.md');
  const style = await resolveConfig(file);
  const text = await format(markdown, { ...style, parser: 'markdown' });
  await writeFile(file, text);
  console.log(text);
}

/** Whole answers; nothing where the peer is not installed. */
function besidePeer(rows: Row[]): string {
  const [bare, router, peer] = ['bare', 'router', '@portkey'].map((start) =>
    rows.find(({ name, mode }) => mode === 'whole' && name.startsWith(start)),
  );
  if (!bare || !router || !peer || peer.failures > 0) return '';
  const times = (row: Row) => number(row.requestsPerSecond / peer.requestsPerSecond);
  return `The router answers ${times(router)} times as many requests as Portkey's gateway (the goal was 5), with ${number(router.p99Ms / peer.p99Ms, 2)} of its
p99 (0.25). A proxy that only hands bytes on answers ${times(bare)} times as many. `;
}

function table(rows: Row[]): string {
  const bare = rows.find(({ name }) => name.startsWith('bare'))!;
  const direct = rows.find(({ name }) => name.startsWith('the mock'))!;
  const lines = rows.map((row) => {
    if (row.failures > 0)
      return `| ${row.name} | ${row.failures} requests failed: not compared | | | | | | |`;
    const added =
      row.firstTokenP50Ms === null || row === direct
        ? ''
        : `${number(row.firstTokenP50Ms - direct.firstTokenP50Ms!, 2)} ms`;
    return `| ${row.name} | ${number(row.requestsPerSecond, 0)} | ${number(row.p50Ms)} | ${number(row.p99Ms)} | ${number(row.cpuUs, 0)} | ${row === direct ? '' : `${number(row.cpuUs / bare.cpuUs, 2)} x`} | ${added} | 0 |`;
  });
  return [
    '| server | requests/s | p50 ms | p99 ms | CPU us a request | CPU to bare | first token later by, one client | failures |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...lines,
  ].join('\n');
}

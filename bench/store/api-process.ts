import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { projectFolder } from '#libs/project-files';
import { MODEL, type Store } from './store.js';

const START_MS_MAX = 60_000;

export interface Api {
  pid: number;
  url: string;
  stop(): Promise<void>;
}

/** The api as a process of its own on the store's database, over direct connections or the pooler. */
export async function startApi(
  { bench }: Store,
  embeddingsUrl: string,
  way: 'direct' | 'pooled' = 'direct',
): Promise<Api> {
  const port = 20_000 + Math.floor(Math.random() * 20_000);
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(process.execPath, [join(projectFolder, 'dist', 'apps', 'api', 'src', 'main.js')], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      PORT: String(port),
      DATABASE_URL: bench.urls[way],
      DATABASE_DIRECT_URL: bench.urls.owner,
      EMBEDDINGS_BASE_URL: embeddingsUrl,
      EMBEDDINGS_MODEL: MODEL.model,
      EMBEDDINGS_DIMENSIONS: String(MODEL.dimensions),
    },
  });
  const deadline = performance.now() + START_MS_MAX;
  while (performance.now() < deadline && child.exitCode === null) {
    const ready = await fetch(`${url}/ready`).catch(() => null);
    if (ready?.ok) {
      const stop = async () => {
        child.kill('SIGTERM');
        if (child.exitCode === null) await once(child, 'exit');
      };
      return { url, pid: child.pid!, stop };
    }
    await sleep(100);
  }
  child.kill('SIGKILL');
  throw new Error('the api did not get ready');
}

/** An OpenAI-compatible /embeddings that answers with the questions' own vectors. */
export async function questionEmbeddings({ questions }: Store): Promise<{ url: string; close: () => void }> {
  const known = new Map(questions.map(({ text, embedding }) => [text, embedding]));
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { input } = JSON.parse(Buffer.concat(parts).toString()) as { input: string[] };
      const data = input.map((text, index) => {
        const { buffer, byteOffset, byteLength } = known.get(text) ?? questions[0]!.embedding;
        return { index, embedding: Buffer.from(buffer, byteOffset, byteLength).toString('base64') };
      });
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ data }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

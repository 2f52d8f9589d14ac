import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { projectFolder } from '#libs/project-files';
import { startTestApi, type TestApi } from '../support/test-api.js';

let api: TestApi;
let folder: string;
let printed: string;

beforeAll(async () => {
  api = await startTestApi();
  await api.client.indexText('The archive room opens with code 4711.', { title: 'Door codes' });
  // Beside the modules that the examples import.
  folder = join(projectFolder, 'dist', `examples-${process.pid}`);
  await mkdir(folder, { recursive: true });
});
beforeEach(() => {
  printed = '';
  const print = (...values: unknown[]) => {
    printed += values.map((value) => JSON.stringify(value)).join(' ');
    return true;
  };
  vi.spyOn(console, 'log').mockImplementation(print);
  vi.spyOn(process.stdout, 'write').mockImplementation(print);
  return () => vi.restoreAllMocks();
});
afterAll(async () => {
  await api?.close();
  await rm(folder, { recursive: true, force: true });
});

const client = join(projectFolder, 'clients/typescript/src/index.ts');

/** The examples of a page in one language, for the service of this test. */
async function examplesOf(page: string, language: string): Promise<string[]> {
  const text = await readFile(join(projectFolder, page), 'utf8');
  const blocks = text.matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 'gs'));
  return [...blocks].map(([, code]) =>
    code!.replaceAll('127.0.0.1:8000', new URL(api.url).host).replaceAll('@ragstone/client', client),
  );
}

async function run(name: string, code: string): Promise<void> {
  const file = join(folder, `${name}.ts`);
  await writeFile(file, code);
  await import(file);
}

it('docs/clients.md: every example works as it stands', async () => {
  const [typescript, openai, responses, langserve, ...more] = await examplesOf('docs/clients.md', 'ts');
  expect(more).toEqual([]);
  await run('typescript', `import { createRagstone } from '${client}';\n${typescript}\nconsole.log(data);`);
  expect(printed).toContain('4711');

  printed = '';
  await run('openai', openai!);
  expect(printed).toContain('4711');
  expect(printed).toContain('"quote"');

  printed = '';
  const made = openai!.split('const reply')[0]!;
  await run('responses', made + responses!);
  expect(printed).toContain('4711');
  expect(printed).toContain('file_citation');

  printed = '';
  const remote = langserve!.replace('@langchain/core/', 'langchain-core-0.3/');
  await run('langserve', `${remote}\nconsole.log(answer, output, citations, context, steps);`);
  expect(printed.match(/4711/g)!.length).toBeGreaterThan(3);
});

it('docs/clients.md: a page asks over a WebSocket, and clients of MCP find the service', async () => {
  const [socket] = await examplesOf('docs/clients.md', 'js');
  await run('socket', `${socket}\nglobalThis.openSocket = socket;`);
  await expect.poll(() => printed, { timeout: 20_000 }).toContain('"type":"final"');
  expect(printed).toContain('4711');
  (globalThis as unknown as { openSocket: WebSocket }).openSocket.close();

  const [http, stdio] = (await examplesOf('docs/clients.md', 'json')).map(
    (text) =>
      (JSON.parse(text) as { mcpServers: { ragstone: { url?: string; command?: string } } }).mcpServers,
  );
  const mcp = new Client({ name: 'test', version: '1' });
  await mcp.connect(new StreamableHTTPClientTransport(new URL(http!.ragstone.url!)));
  expect((await mcp.listTools()).tools.length).toBeGreaterThan(3);
  await mcp.close();
  expect(stdio!.ragstone.command).toBe('ragstone');
});

it('clients/typescript/README.md: the example indexes, asks and streams', async () => {
  const [example, ...more] = await examplesOf('clients/typescript/README.md', 'ts');
  expect(more).toEqual([]);
  await run('readme', example!);
  expect(printed.match(/4711/g)!.length).toBeGreaterThan(2);
  expect(printed).toContain('answered');
});

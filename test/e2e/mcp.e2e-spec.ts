import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectFolder } from '#libs/project-files';
import { startTestApi, type TestApi } from '../support/test-api.js';

interface ToolResult {
  isError?: boolean;
  content: { type: string; text: string }[];
  structuredContent: Record<string, unknown> & {
    document_id: string;
    status: string;
    citations: { quote: string }[];
    sources: { document_id: string }[];
  };
}

const sentence = 'The pump P-100 needs an oil change every 500 hours.';
const question = 'How often does the pump P-100 need an oil change?';

/** What holds over each transport. */
function testsOf(connect: () => Client): void {
  const call = async (name: string, args: object) =>
    (await connect().callTool({ name, arguments: { ...args } })) as unknown as ToolResult;

  it('names its tools, with the schemas of what they take and give', async () => {
    const { tools } = await connect().listTools();
    expect(tools.map(({ name }) => name).sort()).toEqual(['ask', 'get_document', 'index_text', 'search']);
    for (const { inputSchema, outputSchema } of tools) {
      expect(inputSchema.type).toBe('object');
      expect(outputSchema!.type).toBe('object');
    }
    expect(connect().getInstructions()).toContain('knowledge base');
  });

  it('indexes a text, finds it, answers from it, and reads it', async () => {
    const indexed = await call('index_text', { text: `${sentence} Its oil is ISO VG 46.`, title: 'Pumps' });
    expect(indexed.structuredContent).toMatchObject({ status: 'ready', error: null });
    const { document_id } = indexed.structuredContent;
    const again = await call('index_text', { text: `${sentence} Its oil is ISO VG 46.`, title: 'Pumps' });
    expect(again.structuredContent).toMatchObject({ status: 'unchanged', document_id });

    const found = await call('search', { question, top_k: 2 });
    expect(found.structuredContent.sources[0]!.document_id).toBe(document_id);
    expect(found.content[0]!.text).toContain(document_id);

    const answered = await call('ask', { question });
    expect(answered.structuredContent.status).toBe('answered');
    expect(answered.structuredContent.citations[0]!.quote).toBe(sentence);
    expect(answered.content[0]!.text).toMatch(/500 hours.* \[1\][^]*\[1\] Pumps/);

    const read = await call('get_document', { document_id });
    expect(read.structuredContent).toMatchObject({ title: 'Pumps', next_first_chunk: null });
    expect(read.content[0]!.text).toContain('ISO VG 46');

    const { resources } = await connect().listResources();
    expect(resources).toContainEqual(
      expect.objectContaining({ uri: `ragstone://documents/${document_id}`, name: 'Pumps' }),
    );
    const { contents } = await connect().readResource({ uri: `ragstone://documents/${document_id}` });
    expect((contents[0] as { text: string }).text).toContain(sentence);
  });

  it('tells the model what went wrong, with its code', async () => {
    const nowhere = await call('ask', { question, collection: 'nowhere' });
    expect(nowhere).toMatchObject({ isError: true });
    expect(nowhere.content[0]!.text).toMatch(/^collection_not_found: /);
    const missing = await call('get_document', { document_id: '01a1fd3b-70c6-7000-a927-5888d56f000a' });
    expect(missing.content[0]!.text).toMatch(/^document_not_found: /);
    const invalid = await call('search', { question: '' }).catch((error: unknown) => error);
    expect(JSON.stringify(invalid) + String(invalid)).toMatch(/must not be empty/);
    await expect(
      connect().readResource({ uri: 'ragstone://documents/01a1fd3b-70c6-7000-a927-5888d56f000a' }),
    ).rejects.toThrow(/document/);
  });
}

describe('MCP over streamable HTTP', () => {
  let api: TestApi;
  let client: Client;

  beforeAll(async () => {
    api = await startTestApi({ CORS_ORIGINS: 'http://localhost:3000,https://app.example.com' });
    client = new Client({ name: 'test', version: '1.0.0' });
    await client.connect(new StreamableHTTPClientTransport(new URL(`${api.url}/mcp`)));
  });
  afterAll(async () => {
    await client?.close();
    await api?.close();
  });

  testsOf(() => client);

  const initialize = {
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'old', version: '1' } },
  };
  const accept = { accept: 'application/json, text/event-stream' };

  it('refuses pages of other sites, whatever name they have reached it by', async () => {
    const evil = await api.client.post('/mcp', initialize, { ...accept, origin: 'http://evil.example:8000' });
    expect(evil).toMatchObject({ status: 403, body: { code: 'origin_not_allowed' } });
    const near = await api.client.post('/mcp', initialize, {
      ...accept,
      origin: 'http://localhost.evil.example',
    });
    expect(near.status).toBe(403);
    const odd = await api.client.post('/mcp', initialize, { ...accept, origin: 'null' });
    expect(odd.status).toBe(403);
  });

  it('serves pages of CORS_ORIGINS, as every other route does', async () => {
    const page = await fetch(`${api.url}/mcp`, {
      method: 'POST',
      headers: { ...accept, 'content-type': 'application/json', origin: 'https://app.example.com' },
      body: JSON.stringify(initialize),
    });
    await page.body?.cancel();
    expect(page.status).toBe(200);
    expect(page.headers.get('access-control-allow-origin')).toBe('https://app.example.com');
  });

  it('serves pages of this machine, and clients of earlier versions of the protocol', async () => {
    const response = await fetch(`${api.url}/mcp`, {
      method: 'POST',
      headers: { ...accept, 'content-type': 'application/json', origin: 'http://localhost:3000' },
      body: JSON.stringify(initialize),
    });
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('"protocolVersion":"2025-06-18"');
  });

  it('answers each request by itself, without sessions', async () => {
    const other = new Client({ name: 'other', version: '1.0.0' });
    await other.connect(new StreamableHTTPClientTransport(new URL(`${api.url}/mcp`)));
    expect((await other.listTools()).tools).toHaveLength(4);
    await other.close();
    expect((await api.client.get('/mcp')).status).toBe(405);
  });

  it('says of broken JSON that it is', async () => {
    const broken = await api.client.postRaw('/mcp', '{"jsonrpc":', 'application/json');
    expect(broken).toMatchObject({ status: 400, body: { code: 'invalid_json' } });
  });
});

describe('MCP over stdio (ragstone mcp)', () => {
  let folder: string;
  let client: Client;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ragstone-mcp-'));
    client = new Client({ name: 'test', version: '1.0.0' });
    await client.connect(
      new StdioClientTransport({
        command: process.execPath,
        args: [join(projectFolder, 'dist/apps/cli/src/main.js'), 'mcp'],
        env: { PATH: process.env.PATH!, DATA_DIR: join(folder, 'data'), EMBEDDING_THREADS: '1' },
        cwd: folder,
      }),
    );
  });
  afterAll(async () => {
    await client?.close();
    await rm(folder, { recursive: true, force: true });
  });

  testsOf(() => client);
});

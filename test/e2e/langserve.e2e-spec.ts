import { Document } from 'langchain-core-0.3/documents';
import { AIMessage, HumanMessage } from 'langchain-core-0.3/messages';
import type { RunnableConfig } from 'langchain-core-0.3/runnables';
import { RemoteRunnable } from 'langchain-core-0.3/runnables/remote';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MockLlm } from '../mock-llm/index.js';
import { startTestApi, type TestApi } from '../support/test-api.js';
import { waitFor } from '../support/wait-for.js';

interface Output {
  answer?: string;
  output?: string;
  status: string;
  citations: { quote: string; document_id: string; char_start: number; char_end: number }[];
  context: Document[];
  steps: { tool: string; error: string | null; source_numbers: number[] }[];
  degraded_reasons: string[];
  model: string;
  request_id: string;
  conversation_id?: string;
  tokens: { input: number; output: number };
}
type Chunk = Partial<Output> & { restart?: string; step?: Output['steps'][number] };
type Chain = RemoteRunnable<unknown, Output, RunnableConfig>;

let api: TestApi;
let models: MockLlm;
let rag: Chain;
let agent: Chain;
let manualId: string;

const question = 'How often does the pump P-100 need an oil change?';
const sentence = 'The pump P-100 needs an oil change every 500 hours.';

beforeAll(async () => {
  models = await MockLlm.start();
  api = await startTestApi({ CHAT_BASE_URL: models.url, CHAT_MODEL: 'writer', AGENT_STEPS_MAX: '4' });
  rag = new RemoteRunnable({ url: `${api.url}/rag` });
  agent = new RemoteRunnable({ url: `${api.url}/agent/` });
  manualId = (await api.client.indexText(`${sentence} Its oil is ISO VG 46.`, { title: 'Pumps' }))
    .document_id;
  await api.client.post('/collections', { name: 'secret' });
  await api.client.indexText('The code of the safe is 4711.', { title: 'Safe', collection: 'secret' });
});
afterAll(async () => {
  await api?.close();
  await models?.close();
});
beforeEach(() => {
  models.reset();
  models.requests.length = 0;
  models.responder = () => `Every 500 hours [1: "${sentence}"].`;
});

async function collect(stream: AsyncIterable<unknown>): Promise<Chunk[]> {
  const chunks: Chunk[] = [];
  for await (const chunk of stream) chunks.push(chunk as Chunk);
  return chunks;
}

async function expectCitationsToStand({ citations }: Pick<Output, 'citations'>): Promise<void> {
  expect(citations.length).toBeGreaterThan(0);
  for (const { document_id, char_start, char_end, quote } of citations) {
    const { text } = await api.client.content(document_id);
    expect(text.slice(char_start, char_end)).toBe(quote);
  }
}

describe('/rag', () => {
  it('answers a text, and an object with question or input', async () => {
    for (const input of [question, { question }, { input: question, top_k: 1 }]) {
      const output = await rag.invoke(input);
      expect(output).toMatchObject({ answer: 'Every 500 hours [1].', status: 'answered' });
      await expectCitationsToStand(output);
      expect(output.context[0]).toBeInstanceOf(Document);
      expect(output.context[0]!.metadata).toMatchObject({ title: 'Pumps', document_id: manualId });
      expect(output.context[0]!.pageContent).toContain('500 hours');
    }
  });

  it('answers a batch in its order, each answer with an id of its own', async () => {
    const outputs = await rag.batch([question, { question: 'Which oil?', model: 'extractive' }]);
    expect(outputs.map(({ model }) => model)).toEqual(['writer-2026', 'extractive']);
    expect(new Set(outputs.map(({ request_id }) => request_id)).size).toBe(2);
  });

  it('streams chunks that add up to the output', async () => {
    const chunks = await collect(await rag.stream({ question }));
    expect(chunks[0]!.context![0]).toBeInstanceOf(Document);
    expect(chunks.filter(({ answer }) => answer !== undefined).length).toBeGreaterThan(1);
    expect(chunks.map(({ answer = '' }) => answer).join('')).toBe('Every 500 hours [1].');
    expect(chunks.at(-1)).toMatchObject({ status: 'answered', model: 'writer-2026' });
  });

  it('streams a log whose last state has the output', async () => {
    let state: { final_output: Chunk; streamed_output: unknown[] } | undefined;
    let patches: { concat(other: unknown): unknown; state?: unknown } | undefined;
    for await (const patch of rag.streamLog({ question })) {
      patches = (patches ? patches.concat(patch) : patch) as typeof patches;
      state = patches!.state as typeof state;
    }
    expect(state!.streamed_output.length).toBeGreaterThan(2);
    expect(JSON.stringify(state!.final_output)).toContain('Every 500 hours [1].');
  });

  it('says what is wrong with an input, with the right status', async () => {
    await expect(rag.invoke({})).rejects.toThrow(/422 .*give question or input/);
    await expect(rag.invoke({ question, topk: 3 })).rejects.toThrow(/422/);
    await expect(rag.invoke({ question, collection: 'nowhere' })).rejects.toThrow(/404/);
    await expect(rag.stream({ question, collection: 'nowhere' }).then(collect)).rejects.toThrow(
      /404.*no collection/,
    );
    await expect(rag.batch([question, ''])).rejects.toThrow(/422/);
  });

  it('describes itself, and has a page to try it', async () => {
    const { body: input } = await api.client.get('/rag/input_schema');
    expect(JSON.stringify(input)).toContain('"top_k"');
    const { body: output } = await api.client.get<{ properties: object }>('/rag/output_schema');
    expect(output.properties).toHaveProperty('citations');
    expect((await api.client.get('/agent/config_schema')).body).toMatchObject({ type: 'object' });
    for (const path of ['/rag/playground', '/agent/playground/']) {
      const page = await fetch(api.url + path);
      expect(page.headers.get('content-type')).toContain('text/html');
      const script = /src="([^"]+)"/.exec(await page.text())![1]!;
      expect((await fetch(api.url + script)).headers.get('content-type')).toContain('javascript');
    }
  });
});

describe('/agent', () => {
  /** A model that calls these tools, one after the other, and then writes. */
  function plan(...calls: { name: string; args: object }[]): void {
    models.toolCaller = (body) => {
      const messages = body.messages as { role: string }[];
      const call = calls[messages.filter(({ role }) => role === 'tool').length];
      if (!call || body.tool_choice === 'none') return null;
      const id = `call_${messages.length}`;
      return { id, type: 'function', function: { name: call.name, arguments: JSON.stringify(call.args) } };
    };
  }
  const search = { name: 'search_knowledge', args: { query: 'oil change of the pump P-100' } };
  const sent = () => models.requests.filter(({ path }) => path.endsWith('/chat/completions'));

  it('lets the model search and checks the citations of what it writes', async () => {
    plan(search);
    const output = await agent.invoke({ input: question });
    expect(output).toMatchObject({
      output: 'Every 500 hours [1].',
      status: 'answered',
      model: 'writer-2026',
    });
    expect(output.steps).toMatchObject([{ tool: 'search_knowledge', error: null, source_numbers: [1] }]);
    expect(output.context[0]).toBeInstanceOf(Document);
    await expectCitationsToStand(output);
    expect(sent()[0]!.body).toMatchObject({ tool_choice: 'required' });
    expect(sent()[1]!.body).toMatchObject({ tool_choice: 'auto' });
    expect(output.tokens.input).toBe(models.bill.inputTokens);
    expect(output.tokens.output).toBe(models.bill.outputTokens);
  });

  it('is in the ledger with each call, under the id of the answer', async () => {
    plan(search, search);
    const before = (await api.client.get<{ rows: { calls: number }[] }>('/usage?group_by=purpose')).body;
    await agent.invoke({ input: question });
    const after = (
      await api.client.get<{ rows: { purpose: string; calls: number }[] }>('/usage?group_by=purpose')
    ).body;
    const calls = (of: object) =>
      (of as typeof after).rows.find(({ purpose }) => purpose === 'agent')?.calls ?? 0;
    expect(calls(after) - calls(before)).toBe(3);
  });

  it('reads on in a document that it has found, and in no other', async () => {
    const { documents } = (
      await api.client.get<{ documents: { document_id: string }[] }>('/documents?collection=secret')
    ).body;
    plan(
      search,
      { name: 'get_document', args: { document_id: manualId } },
      { name: 'get_document', args: { document_id: documents[0]!.document_id } },
    );
    const { steps, context } = await agent.invoke({ input: question });
    expect(steps.map(({ tool }) => tool)).toEqual(['search_knowledge', 'get_document', 'get_document']);
    expect(steps.map(({ error }) => error)).toEqual([
      null,
      null,
      expect.stringContaining('search has found'),
    ]);
    expect(JSON.stringify(context)).not.toContain('4711');
    expect(JSON.stringify(models.requests)).not.toContain('4711');
  });

  it('tells the model of arguments that are wrong, and goes on', async () => {
    plan({ name: 'search_knowledge', args: { query: 7 } }, search);
    const output = await agent.invoke({ input: question });
    expect(output.status).toBe('answered');
  });

  it('ends a model that would search for ever', async () => {
    plan(...Array.from({ length: 50 }, () => search));
    const output = await agent.invoke({ input: question });
    expect(sent()).toHaveLength(4);
    expect(sent().at(-1)!.body).toMatchObject({ tool_choice: 'none' });
    expect(output.status).toBe('answered');
  });

  it('drops quotes that are invented and links that a document talks the model into', async () => {
    plan(search);
    models.responder = () =>
      `Every 500 hours [1: "${sentence}"]. See [more](https://evil.example/?q=secret) [2: "Made up."]. ![x](https://evil.example/a.png)`;
    const output = await agent.invoke({ input: question });
    expect(output.status).toBe('degraded');
    expect(output.degraded_reasons).toEqual(expect.arrayContaining(['citation_unverified', 'link_removed']));
    expect(output.output).not.toContain('evil.example');
  });

  it('streams steps, text and the rest', async () => {
    plan(search);
    const chunks = await collect(await agent.stream({ input: question }));
    expect(chunks[0]).toMatchObject({ step: { tool: 'search_knowledge' } });
    expect(chunks.map(({ output = '' }) => output).join('')).toBe('Every 500 hours [1].');
    expect(chunks.at(-1)).toMatchObject({ status: 'answered', steps: [{ tool: 'search_knowledge' }] });
  });

  it('knows what was said before', async () => {
    plan(search);
    await agent.invoke({
      input: 'And how often?',
      chat_history: [new HumanMessage('Which pump?'), new AIMessage('The P-100 [1].')],
    });
    const body = sent()[0]!.body as { messages: { role: string; content: string }[] };
    expect(body.messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'user']);
    expect(body.messages[2]!.content).toBe('The P-100.');
  });

  it('goes on with a conversation, keeps what was said in it, and counts what its notes cost', async () => {
    plan(search);
    const { body: begun } = await api.client.post<{ id: string }>('/conversations', { user_id: 'ann' });
    const asked = { conversation_id: begun.id, user_id: 'ann' };
    const first = await agent.invoke({ input: question, ...asked });
    expect(first.conversation_id).toBe(begun.id);
    models.requests.length = 0;
    const chunks = await collect(await agent.stream({ input: 'And why?', ...asked }));
    expect(chunks.at(-1)).toMatchObject({ conversation_id: begun.id, status: 'answered' });
    const body = sent()[0]!.body as { messages: { role: string; content: string }[] };
    expect(body.messages.map(({ content }) => content).slice(1)).toEqual([
      question,
      'Every 500 hours.',
      'And why?',
    ]);
    const read = await api.client.get<{ messages: { content: string }[] }>(
      `/conversations/${begun.id}?user_id=ann`,
    );
    expect(read.body.messages.map(({ content }) => content)).toEqual([
      question,
      'Every 500 hours [1].',
      'And why?',
      'Every 500 hours [1].',
    ]);

    for (const chain of [agent, rag]) {
      const foreign = chain.invoke({ input: question, conversation_id: begun.id, user_id: 'bob' });
      await expect(foreign).rejects.toThrow(/404 .*conversation/);
    }
    const history = [new HumanMessage('Which pump?')];
    await expect(agent.invoke({ input: question, ...asked, chat_history: history })).rejects.toThrow(
      /422 .*chat_history or conversation_id/,
    );
    const ben = { headers: { 'x-user-id': 'ben' } };
    const two = new RemoteRunnable({ url: `${api.url}/rag`, options: ben });
    await expect(two.invoke({ question, user_id: 'ann' })).rejects.toThrow(/422 .*two users/);
  });

  it.each([
    ['calls no tools', () => void (models.toolCaller = () => null), 'tools_unavailable'],
    ['can not be had', () => void (models.behave = () => ({ status: 500 })), 'model_unavailable'],
    ['refuses tools', () => void (models.behave = () => ({ status: 400 })), 'model_unavailable'],
  ])('answers with quotes from one search when the model %s', async (_what, arrange, reason) => {
    arrange();
    const output = await agent.invoke({ input: question });
    expect(output).toMatchObject({ status: 'degraded', model: 'extractive', degraded_reasons: [reason] });
    expect(output.output).toContain('500 hours');
    await expectCitationsToStand(output);
  });

  it('ends the call at the provider when the client leaves', async () => {
    plan(search);
    models.behave = () => ({ betweenTokensMs: 50 });
    models.responder = () => 'word '.repeat(2_000);
    const leaving = new AbortController();
    const stream = await agent.stream({ input: question }, { signal: leaving.signal });
    for await (const chunk of stream) if (chunk.output) break;
    leaving.abort();
    await waitFor('the call at the provider to end', () => models.open === 0);
    expect(models.aborted).toBe(1);
  });
});

import { MockLlm } from './mock-llm.js';

/** `npm run mock-llm -- [port]`: a model server without a model, for trying out and for load tests. */
const port = Number(process.argv[2] ?? 11_435);
const mock = await MockLlm.start({ port, recordsRequests: false });
console.log(`OpenAI: ${mock.url}   Anthropic: ${mock.origin}`);
console.log(`  CHAT_BASE_URL=${mock.url} CHAT_MODEL=mock npm start`);
console.log(
  'Faults: the header X-Mock-Fault, or POST /mock/script (docs/models.md). Counts: GET /mock/stats.',
);

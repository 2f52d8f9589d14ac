import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SyntheticVectors } from '../store/synthetic-vectors.js';

const PREPARED = 512;

/** POST /embeddings as OpenAI answers it, with vectors that were made before: what it costs is reading and sending. */
const vectors = new SyntheticVectors(1);
const prepared = Array.from({ length: PREPARED }, (_, index) => {
  const { buffer, byteOffset, byteLength } = vectors.ofChunk(index, index);
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
});
let next = 0;

const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    const { input } = JSON.parse(Buffer.concat(parts).toString()) as { input: string[] };
    const data = input.map((_, index) => ({ index, embedding: prepared[(next += 1) % PREPARED]! }));
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ data }));
  });
});
server.listen(0, '127.0.0.1', () => {
  process.send!({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` });
});
process.once('disconnect', () => process.exit());

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { importPeer } from '../../store/import-peer.js';
import { answerParent } from './answer-parent.js';
import { smallAnswer } from './small-answer.js';

interface Reply {
  json(body: object): void;
}

interface ExpressApp {
  use(handler: RequestListener): void;
  post(path: string, handler: (request: { body: { question: string } }, reply: Reply) => void): void;
  listen(port: number, host: string): Server;
}

type Express = (() => ExpressApp) & { json: () => RequestListener };

const express = await importPeer<Express>('express');
if (!express) throw new Error('Express is not there: "npm ci" in bench/peers');
const app = express();
app.use(express.json());
app.post('/search', ({ body: { question } }, reply) => {
  reply.json(smallAnswer(question === '' ? '' : randomUUID()));
});
const server = app.listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;
answerParent({ url: `http://127.0.0.1:${port}` }, () => {
  server.closeAllConnections();
  return Promise.resolve();
});

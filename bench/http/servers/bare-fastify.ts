import { randomUUID } from 'node:crypto';
import fastify from 'fastify';
import { answerParent } from './answer-parent.js';
import { smallAnswer } from './small-answer.js';

const app = fastify();
app.post('/search', (request, reply) => {
  const { question } = request.body as { question: string };
  void reply.send(smallAnswer(question === '' ? '' : randomUUID()));
});
const url = await app.listen({ port: 0, host: '127.0.0.1' });
answerParent({ url }, () => app.close());

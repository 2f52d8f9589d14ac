import fastify from 'fastify';
import { Pool } from 'undici';

/** The least that a proxy can do: the body is handed on as it came, the reply is streamed back. */
const [port, upstream] = [Number(process.argv[2]), new URL(process.argv[3]!)];
const pool = new Pool(upstream.origin, { connections: 128 });
const app = fastify();
app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) =>
  done(null, body),
);
app.post('/v1/chat/completions', async (request, reply) => {
  const { statusCode, headers, body } = await pool.request({
    path: `${upstream.pathname}/chat/completions`,
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: request.headers.authorization ?? '' },
    body: request.body as Buffer,
  });
  void reply.status(statusCode).header('content-type', headers['content-type']!);
  return reply.send(body);
});
await app.listen({ port, host: '127.0.0.1' });
console.log('listening');

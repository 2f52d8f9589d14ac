import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { modelFailure } from '../model-failure.js';
import { ModelConnection } from './model-connection.js';

let server: Server;
let connection: ModelConnection;

afterEach(async () => {
  await connection.close();
  server.close();
});

/** A server whose reply is these packets, a moment apart. */
async function serve(...packets: string[]): Promise<void> {
  server = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    const send = (): void => {
      const packet = packets.shift();
      if (packet === undefined) response.end();
      else response.write(packet, () => setTimeout(send, 50));
    };
    setTimeout(send, 50);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  connection = new ModelConnection({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

const events = (...data: string[]): string => data.map((text) => `data: ${text}\n\n`).join('');

async function read(): Promise<{ pieces: string[]; error: unknown }> {
  const pieces: string[] = [];
  const stream = connection.postStream('/chat', {}, ({ data }, onToken) => {
    if (data === 'bad') throw modelFailure('malformed', 'a bad event');
    onToken();
    return data === 'end' ? null : data;
  });
  try {
    for await (const piece of stream) pieces.push(piece);
    return { pieces, error: null };
  } catch (error) {
    return { pieces, error };
  }
}

describe('a stream of events', () => {
  it('hands on what came together in one piece, and each packet as it comes', async () => {
    await serve(events('The ', 'oil '), events('is ', 'changed', 'end', 'after the end'));
    expect(await read()).toEqual({ pieces: ['The oil ', 'is changed'], error: null });
  });

  it('hands on what came before a bad event of the same packet: it is paid for', async () => {
    await serve(events('The ', 'oil ', 'bad', 'is'));
    expect(await read()).toMatchObject({ pieces: ['The oil '], error: { details: { kind: 'malformed' } } });
  });
});

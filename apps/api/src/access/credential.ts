import type { IncomingHttpHeaders } from 'node:http';

/** A browser's WebSocket can't send headers, but it can offer protocols: ["ragstone", "ragstone.bearer.<key>"]. */
const PROTOCOL = 'ragstone.bearer.';
export const SOCKET_PROTOCOL = 'ragstone';

const CHARACTERS_MAX = 8_192;

/** The API key or token of a request, from where clients put it. Null: there is none. */
export function readCredential(headers: IncomingHttpHeaders): string | null {
  const { authorization, 'x-api-key': apiKey, 'sec-websocket-protocol': protocols } = headers;
  const [, bearer] = /^Bearer +(\S+) *$/i.exec(authorization ?? '') ?? [];
  const offered = protocols?.split(',').map((protocol) => protocol.trim());
  const inProtocol = offered?.find((protocol) => protocol.startsWith(PROTOCOL))?.slice(PROTOCOL.length);
  const credential = bearer ?? (typeof apiKey === 'string' ? apiKey : undefined) ?? inProtocol;
  return credential && credential.length <= CHARACTERS_MAX ? credential : null;
}

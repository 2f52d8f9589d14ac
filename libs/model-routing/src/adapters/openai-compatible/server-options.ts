import { ModelConnection, type ModelConnectionOptions } from '../../wire/model-connection.js';

export interface ServerOptions extends ModelConnectionOptions {
  apiKey?: string;
}

export function connectTo({ apiKey, headers, ...options }: ServerOptions): ModelConnection {
  return new ModelConnection({
    ...options,
    headers: { ...(apiKey && { authorization: `Bearer ${apiKey}` }), ...headers },
  });
}

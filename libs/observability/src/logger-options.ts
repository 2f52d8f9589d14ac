import type { Params } from 'nestjs-pino';
import { stdSerializers } from 'pino';
import { maskSecrets } from './mask-secrets.js';

type RequestLike = { id?: unknown; method?: string; url?: string };

/** One JSON line a request, with its id, never its body; readable lines in a terminal. */
export function loggerOptions({ level, pretty }: { level: string; pretty: boolean }): Params {
  return {
    pinoHttp: {
      level,
      ...(pretty && {
        transport: {
          target: 'pino-pretty',
          options: { singleLine: true, ignore: 'pid,hostname,req,res,responseTime' },
        },
      }),
      base: { service: 'ragstone', pid: process.pid },
      hooks: { logMethod: logFields, streamWrite: maskSecrets },
      serializers: {
        error: stdSerializers.err,
        req: ({ id, method, url }: RequestLike) => ({ id, method, path: url?.split('?', 1)[0] }),
        res: ({ statusCode }: { statusCode?: number }) => ({ statusCode }),
      },
      customProps: (request) => ({ request_id: request.id }),
      customSuccessMessage: (request, response, ms) =>
        `${request.method} ${request.url?.split('?', 1)[0]} ${response.statusCode} ${Math.round(ms)} ms`,
      customLogLevel: (_request, response) => (response.statusCode >= 500 ? 'error' : 'info'),
    },
  };
}

/** `log(message, fields)` of Nest's logger comes as (context, message, fields), of which pino drops the fields. */
function logFields(
  this: unknown,
  inputArgs: unknown[],
  method: (this: unknown, ...args: never[]) => void,
): void {
  const [context, message, fields, ...rest] = inputArgs;
  const isFields = isObject(context) && typeof message === 'string' && isObject(fields) && rest.length === 0;
  const args = !isFields
    ? inputArgs
    : [fields instanceof Error ? { ...context, error: fields } : { ...context, ...fields }, message];
  method.apply(this, args as never[]);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

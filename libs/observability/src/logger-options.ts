import type { Params } from 'nestjs-pino';

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
      redact: ['req.headers.authorization', 'req.headers.cookie', 'req.headers["x-api-key"]'],
      serializers: {
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

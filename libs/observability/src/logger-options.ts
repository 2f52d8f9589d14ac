import type { Params } from 'nestjs-pino';
import { stdSerializers } from 'pino';
import { currentTraceIds } from '#libs/tracing';
import { maskSecrets } from './mask-secrets.js';
import { currentRequestId } from './request-context.js';

/** JSON lines with the request and the trace they belong to; readable ones in a terminal. Keys never reach them. */
export function loggerOptions({ level, pretty }: { level: string; pretty: boolean }): Params {
  return {
    // No middleware: it costs a child logger a request. The line of a request is written when it has ended.
    forRoutes: [],
    pinoHttp: {
      level,
      ...(pretty && {
        transport: {
          target: 'pino-pretty',
          options: { singleLine: true, ignore: 'pid,hostname,service' },
        },
      }),
      autoLogging: false,
      base: { service: 'ragstone', pid: process.pid },
      // The word, as Loki and those who ship lines to it know it; pino's numbers mean nothing to them.
      formatters: { level: (label) => ({ level: label }) },
      mixin: logContext,
      hooks: { logMethod: logFields, streamWrite: maskSecrets },
      serializers: { error: stdSerializers.err },
    },
  };
}

function logContext(): Record<string, string> {
  const requestId = currentRequestId();
  return { ...(requestId !== undefined && { request_id: requestId }), ...currentTraceIds() };
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

import { z } from 'zod';
import { port, positive, url } from '../variables.js';

const flag = z.stringbool('must be true or false');

/** Logs, metrics of workers, traces. */
export interface ObservabilityConfig {
  readonly log: { level: string; pretty: boolean };
  readonly queryLog: { keepsQuestions: boolean; daysKept: number };
  /** Where a worker answers for its metrics and health; null: nowhere. */
  readonly workerHttp: { host: string; port: number } | null;
  readonly tracing: {
    /** OTLP over HTTP; null: none. */
    otlp: { endpoint: string; headers: Record<string, string> } | null;
    serviceName: string | null;
    /** Share of the traces that begin here. */
    sampledShare: number;
    langSmith: { endpoint: string; apiKey: string | null; project: string } | null;
  };
}

/** One variable an entry, in the order of .env.example. */
export const observabilityVariables = {
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  LOG_FORMAT: z.enum(['auto', 'json', 'pretty']).default('auto'),
  LOG_QUESTIONS: flag.default(false),
  QUERY_LOG_DAYS: positive.max(3_650).default(30),

  WORKER_HTTP_HOST: z.string().default('127.0.0.1'),
  WORKER_HTTP_PORT: port.optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: url.optional(),
  OTEL_EXPORTER_OTLP_HEADERS: z.string().optional(),
  OTEL_SERVICE_NAME: z.string().max(200).optional(),
  OTEL_TRACES_SAMPLER_ARG: z.coerce.number('must be a number').min(0).max(1).default(0.1),
  LANGSMITH_TRACING: flag.default(false),
  LANGSMITH_ENDPOINT: url.default('https://api.smith.langchain.com'),
  LANGSMITH_API_KEY: z.string().optional(),
  LANGSMITH_PROJECT: z.string().max(200).default('ragstone'),
};

type Values = z.infer<z.ZodObject<typeof observabilityVariables>>;

export function observabilityConfig(values: Values): ObservabilityConfig {
  return {
    log: {
      level: values.LOG_LEVEL,
      pretty: values.LOG_FORMAT === 'auto' ? process.stdout.isTTY : values.LOG_FORMAT === 'pretty',
    },
    queryLog: { keepsQuestions: values.LOG_QUESTIONS, daysKept: values.QUERY_LOG_DAYS },
    workerHttp:
      values.WORKER_HTTP_PORT === undefined
        ? null
        : { host: values.WORKER_HTTP_HOST, port: values.WORKER_HTTP_PORT },
    tracing: {
      otlp: values.OTEL_EXPORTER_OTLP_ENDPOINT
        ? {
            endpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT,
            headers: headersOf(values.OTEL_EXPORTER_OTLP_HEADERS),
          }
        : null,
      serviceName: values.OTEL_SERVICE_NAME ?? null,
      sampledShare: values.OTEL_TRACES_SAMPLER_ARG,
      langSmith: values.LANGSMITH_TRACING
        ? {
            endpoint: values.LANGSMITH_ENDPOINT,
            apiKey: values.LANGSMITH_API_KEY ?? null,
            project: values.LANGSMITH_PROJECT,
          }
        : null,
    },
  };
}

/** name=value,name=value, percent-encoded: https://opentelemetry.io/docs/specs/otel/protocol/exporter/ */
function headersOf(text = ''): Record<string, string> {
  const pairs = text.split(',').flatMap((pair) => {
    const [name = '', ...value] = pair.split('=');
    return name.trim() ? [[name.trim(), decodeURIComponent(value.join('=').trim())]] : [];
  });
  return Object.fromEntries(pairs) as Record<string, string>;
}

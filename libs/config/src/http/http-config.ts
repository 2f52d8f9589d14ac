import { resolve } from 'node:path';
import { z } from 'zod';
import { listOf, network, port, positive } from '../variables.js';

export interface HttpConfig {
  host: string;
  port: number;
  bodyBytesMax: number;
  /** After SIGTERM, before the server closes: /ready says 503 meanwhile. */
  drainMs: number;
  /** PEM files; null: plain HTTP. */
  tls: { certFile: string; keyFile: string } | null;
  /** Proxies whose X-Forwarded-For is believed. */
  trustProxies: readonly string[];
  /** From a request's arrival to its answer. */
  deadlineMs: number;
  /** To the end of an answer that is streamed. */
  streamDeadlineMs: number;
  /** At work at the same time; more are refused at once. */
  inFlightMax: number;
  uploadsMax: number;
  streamsMax: number;
  connectionsMax: number;
  /** 0: not looked at. */
  eventLoopDelayMsMax: number;
}

const proxy = z.union([network, z.ipv4(), z.ipv6()], {
  error: 'must be addresses or networks, such as 10.0.0.2 or 10.0.0.0/8, with commas between them',
});

/** One variable an entry, in the order of .env.example. */
export const httpVariables = {
  HOST: z.string().default('127.0.0.1'),
  PORT: port.default(8000),
  HTTP_BODY_BYTES_MAX: positive.default(10 * 1024 * 1024),
  HTTP_DRAIN_MS: z.coerce.number('must be a number').int().min(0).max(120_000).default(0),
  HTTP_TLS_CERT: z.string().optional(),
  HTTP_TLS_KEY: z.string().optional(),
  HTTP_TRUST_PROXIES: listOf(proxy),
  HTTP_DEADLINE_MS: positive.max(3_600_000).default(120_000),
  HTTP_STREAM_DEADLINE_MS: positive.max(86_400_000).default(600_000),
  HTTP_IN_FLIGHT_MAX: positive.default(200),
  HTTP_UPLOADS_MAX: positive.default(100),
  HTTP_STREAMS_MAX: positive.default(2_000),
  HTTP_CONNECTIONS_MAX: positive.default(16_384),
  HTTP_EVENT_LOOP_DELAY_MS_MAX: z.coerce.number('must be a number').int().min(0).default(1_000),
};

type Values = z.infer<z.ZodObject<typeof httpVariables>>;

export function httpConfig(values: Values): HttpConfig {
  const { HTTP_TLS_CERT: cert, HTTP_TLS_KEY: key } = values;
  return {
    host: values.HOST,
    port: values.PORT,
    bodyBytesMax: values.HTTP_BODY_BYTES_MAX,
    drainMs: values.HTTP_DRAIN_MS,
    tls: cert && key ? { certFile: resolve(cert), keyFile: resolve(key) } : null,
    trustProxies: values.HTTP_TRUST_PROXIES,
    deadlineMs: values.HTTP_DEADLINE_MS,
    streamDeadlineMs: values.HTTP_STREAM_DEADLINE_MS,
    inFlightMax: values.HTTP_IN_FLIGHT_MAX,
    uploadsMax: values.HTTP_UPLOADS_MAX,
    streamsMax: values.HTTP_STREAMS_MAX,
    connectionsMax: values.HTTP_CONNECTIONS_MAX,
    eventLoopDelayMsMax: values.HTTP_EVENT_LOOP_DELAY_MS_MAX,
  };
}

export function httpProblems(values: Values): (string | false)[] {
  return [
    Boolean(values.HTTP_TLS_CERT) !== Boolean(values.HTTP_TLS_KEY) &&
      'HTTP_TLS_CERT, HTTP_TLS_KEY: set both or none',
  ];
}

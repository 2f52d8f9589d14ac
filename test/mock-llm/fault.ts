/** What the mock does wrong in one request. Everything is optional and may be combined. */
export interface Fault {
  /** Answer with this status instead. */
  status?: number;
  /** Seconds, or an HTTP date, sent as Retry-After. */
  retryAfter?: string | number;
  headers?: Record<string, string>;
  /** Send exactly this instead of a reply. */
  body?: string;
  /** Close the connection without an answer (true: as "fin"). */
  cut?: boolean | 'fin' | 'rst';
  /** Send this many bytes of the reply's body, then close the connection. */
  cutAfterBytes?: number;
  /** How it is closed. Default "fin". */
  cutBy?: 'fin' | 'rst';
  /** Accept and never answer. */
  never?: boolean;
  /** Before the status line. */
  delayMs?: number;
  /** Streams: before the first token, after the headers. */
  firstTokenMs?: number;
  /** Streams: before each further token. */
  betweenTokensMs?: number;
  /** Streams: send this many tokens, then nothing more, with the connection open. */
  stallAfterTokens?: number;
  /** Write the body in pieces of this many bytes, each in a packet of its own: splits UTF-8 characters and lines. */
  pieceBytes?: number;
  /** Lines end in CR LF. */
  crlf?: boolean;
  /** Streams: comment lines between events, as proxies send them to keep a connection. */
  comments?: boolean;
  /** Break the JSON of the reply, or of the third event of a stream. */
  malformedJson?: boolean;
  /** Valid JSON of another shape. */
  wrongSchema?: boolean;
  /** Streams: the connection ends this much later than the last event. */
  afterDoneMs?: number;
  /** Streams: no `data: [DONE]` (Anthropic: no message_stop). */
  withoutDone?: boolean;
  /** Streams: no finish_reason and no [DONE]: a silent truncation, closed in an orderly way. */
  truncated?: boolean;
  /** Streams: one line of this many bytes before the first token. */
  longLineBytes?: number;
  withoutUsage?: boolean;
  /** Streams: an error event after the first token. */
  errorEvent?: boolean;
  /** Embeddings one longer than they should be. */
  wrongDimension?: boolean;
  /** Embeddings with a NaN (base64) or a null (JSON). */
  nan?: boolean;
}

/** `times` requests whose path (and model) match get the fault. */
export interface ScriptedFault {
  fault: Fault;
  /** Default 1; 0: every one until the script is cleared. */
  times?: number;
  /** A part of the path, for example "/embeddings". */
  path?: string;
  model?: string;
}

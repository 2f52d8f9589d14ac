import { workerFile } from '#libs/project-files';
import { defaultParseLimits, type ParseLimits, ParserProcess } from './parser-process/index.js';
import type { PreparedPart, PrepareTask } from './prepared-part.js';

export { isPoison, POISON_ATTEMPTS_MAX } from './parser-process/index.js';

export interface ParsePoolOptions {
  /** Documents read at a time, each in a process of its own. */
  parsers?: number;
  limits?: Partial<ParseLimits>;
  /** A program that speaks as `parser.worker` does. */
  entry?: URL;
}

/**
 * Parses and splits in processes of their own: whatever a document does to its parser, it fails alone. Processes are
 * started when they are needed, used for one document after the other, and replaced when they have failed or grown.
 */
export class ParsePool {
  private readonly limits: ParseLimits;
  private readonly entry: URL;
  private readonly parsers: number;
  private readonly resting: { parser: ParserProcess; idle: NodeJS.Timeout }[] = [];
  private readonly working = new Set<ParserProcess>();
  private readonly waiting: (() => void)[] = [];
  private taken = 0;
  private isClosed = false;

  constructor({ parsers = 1, limits, entry }: ParsePoolOptions = {}) {
    this.parsers = parsers;
    this.limits = { ...defaultParseLimits, ...limits };
    this.entry = entry ?? workerFile(import.meta.url, 'parser-process/parser.worker');
  }

  /**
   * A document's parts, made a few ahead of the reader and no more. A reader that leaves the loop early, and an abort,
   * end the process that reads for it at once. Waits for a free process first.
   * @param onProgress pages read so far and in all, for formats with pages
   * @throws {RagError} document_* codes, no_text_layer, unsupported_encoding; parse_timeout, document_too_large and
   * parser_crashed with `isPoison`; what `task.source` throws; the signal's reason
   */
  async *prepare(
    task: PrepareTask,
    onProgress: (done: number, total: number) => void,
    signal: AbortSignal,
  ): AsyncGenerator<PreparedPart, void> {
    await this.takeTurn(signal);
    const parser = this.takeParser();
    yield* parser.read(task, onProgress, signal, () => this.release(parser));
  }

  /** Ends all processes, also those at work. */
  async close(): Promise<void> {
    this.isClosed = true;
    for (const { idle } of this.resting) clearTimeout(idle);
    const all = [...this.resting.map(({ parser }) => parser), ...this.working];
    await Promise.all(all.map((parser) => parser.close()));
  }

  private async takeTurn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.taken < this.parsers) {
      this.taken += 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const onTurn = () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = () => {
        this.waiting.splice(this.waiting.indexOf(onTurn), 1);
        reject(signal.reason as Error);
      };
      this.waiting.push(onTurn);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  private takeParser(): ParserProcess {
    if (this.isClosed) throw new Error('the parsers were closed');
    let parser: ParserProcess | undefined;
    while (!parser && this.resting.length > 0) {
      const last = this.resting.pop()!;
      clearTimeout(last.idle);
      if (last.parser.isUsable) parser = last.parser;
    }
    parser ??= new ParserProcess(this.entry, this.limits);
    this.working.add(parser);
    return parser;
  }

  private release(parser: ParserProcess): void {
    this.working.delete(parser);
    if (parser.isUsable && !this.isClosed) {
      const idle = setTimeout(() => void this.endIdle(parser), this.limits.idleMs).unref();
      this.resting.push({ parser, idle });
    }
    const next = this.waiting.shift();
    if (next) next();
    else this.taken -= 1;
  }

  private async endIdle(parser: ParserProcess): Promise<void> {
    const index = this.resting.findIndex((resting) => resting.parser === parser);
    if (index >= 0) this.resting.splice(index, 1);
    await parser.close();
  }
}

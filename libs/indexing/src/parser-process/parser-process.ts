import { AsyncLocalStorage } from 'node:async_hooks';
import type { ChildProcess } from 'node:child_process';
import { RagError } from '#libs/errors';
import type { PreparedPart, PrepareTask } from '../prepared-part.js';
import { forkParser, holdProcess } from './fork-parser.js';
import type { FromParser, ToParser } from './messages.js';
import { limitsFor, type ParseLimits } from './parse-limits.js';
import { crashed, neededTooMuchMemory, notStarted, saysOutOfMemory, tookTooLong } from './parse-failures.js';
import { usageOf } from './process-usage.js';

const WATCH_INTERVAL_MS = 50;
/** Parts that wait for their reader: a small document fits in, and its process is free for the next one. */
const PARTS_AHEAD_MAX = 4;
const ERROR_OUTPUT_CHARACTERS_MAX = 4_096;

interface Reading {
  task: PrepareTask;
  source: AsyncIterator<Uint8Array>;
  onProgress: (done: number, total: number) => void;
  onFree: () => void;
  parts: PreparedPart[];
  /** Parts that the process may still send. */
  credit: number;
  isSourceAwaited: boolean;
  failure: { error: unknown } | null;
  changed: () => void;
}

/** One process that reads documents, one at a time, and is killed when it exceeds its limits. */
export class ParserProcess {
  private readonly child: ChildProcess;
  private readonly ready: Promise<void>;
  private readonly exited: Promise<void>;
  private reading: Reading | null = null;
  private watch: NodeJS.Timeout | undefined;
  private documents = 0;
  private errorOutput = '';
  private killedFor: { reason: unknown } | null = null;
  private hasEnded = false;

  constructor(
    entry: URL,
    private readonly limits: ParseLimits,
  ) {
    const child = forkParser(entry, limits.heapMbMax);
    this.child = child;
    this.exited = new Promise((resolve) => {
      const onEnd = (how: string) => {
        this.end(how);
        resolve();
      };
      child.once('exit', (code, signal) => onEnd(signal ?? `code ${code}`));
      child.once('error', (error) => onEnd(error.message));
    });
    this.ready = new Promise((resolve) => child.once('message', () => resolve()));
    child.on('message', (message: FromParser) => this.receive(message));
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.errorOutput = (this.errorOutput + text).slice(-ERROR_OUTPUT_CHARACTERS_MAX);
    });
    holdProcess(child, false);
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** False once it has ended or is about to. */
  get isUsable(): boolean {
    return !this.hasEnded && this.killedFor === null;
  }

  /**
   * The parts of one document. `onFree` is called once, when the process can be used for the next document or has
   * ended; the reader may still have parts to take. A reader that stops early, and an abort, end the process.
   */
  async *read(
    task: PrepareTask,
    onProgress: (done: number, total: number) => void,
    signal: AbortSignal,
    onFree: () => void,
  ): AsyncGenerator<PreparedPart, void> {
    // Messages of the process come in the context of whoever started it: of another tenant's job.
    const asCaller = AsyncLocalStorage.snapshot();
    const source = task.source[Symbol.asyncIterator]();
    const reading: Reading = {
      task,
      source: { next: () => asCaller(() => source.next()) },
      onProgress: (done, total) => asCaller(() => onProgress(done, total)),
      onFree,
      parts: [],
      credit: 0,
      isSourceAwaited: false,
      failure: null,
      changed: () => undefined,
    };
    const onAbort = () => this.kill(signal.reason);
    holdProcess(this.child, true);
    this.reading = reading;
    signal.addEventListener('abort', onAbort);
    try {
      await this.start(reading, signal);
      for (;;) {
        while (reading.parts.length === 0 && !reading.failure) await changeOf(reading);
        if (reading.failure) throw reading.failure.error;
        const part = reading.parts.shift()!;
        if (this.reading === reading) this.allowPart(reading);
        yield part;
        if (part.kind === 'end') return;
        signal.throwIfAborted();
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      if (this.reading === reading) this.kill(new Error('nobody takes the parts of the document any more'));
      Promise.resolve(source.return?.()).catch(() => undefined);
    }
  }

  /** Resolves when it has ended. */
  async close(): Promise<void> {
    if (!this.hasEnded) holdProcess(this.child, true);
    this.kill(new Error('the parsers were closed'));
    await this.exited;
  }

  private async start(reading: Reading, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.hasEnded) this.fail(reading, 'before its first document');
    const { startMs } = this.limits;
    const timer = setTimeout(() => this.kill(notStarted(`it was not ready after ${startMs} ms`)), startMs);
    await Promise.race([this.ready, changeOf(reading)]);
    clearTimeout(timer);
    if (reading.failure) return;
    const { source: _source, ...task } = reading.task;
    this.documents += 1;
    this.watch = this.watchLimits(reading);
    reading.credit = PARTS_AHEAD_MAX;
    this.send({ kind: 'task', task, credit: reading.credit });
  }

  private receive(message: FromParser): void {
    const { reading } = this;
    if (!reading || reading.failure) return;
    switch (message.kind) {
      case 'ready':
        return;
      case 'progress':
        return reading.onProgress(message.done, message.total);
      case 'pull':
        return void this.passSource(reading);
      case 'part':
        reading.parts.push(message.part);
        reading.credit -= 1;
        if (message.part.kind === 'end') this.finish(reading);
        return reading.changed();
      case 'failure': {
        const { code, message: text, retryable, details } = message;
        reading.failure = { error: new RagError(code, text, { retryable, details }) };
        this.finish(reading);
        return reading.changed();
      }
      case 'crash':
        return this.kill(this.explain(message.stack));
    }
  }

  private async passSource(reading: Reading): Promise<void> {
    reading.isSourceAwaited = true;
    try {
      const { value, done } = await reading.source.next();
      reading.isSourceAwaited = false;
      if (this.reading === reading)
        this.send(done ? { kind: 'source-end' } : { kind: 'source', bytes: value });
    } catch (error) {
      if (this.reading === reading) this.kill(error);
    }
  }

  private allowPart(reading: Reading): void {
    reading.credit += 1;
    this.send({ kind: 'take' });
  }

  private send(message: ToParser): void {
    // A process that is gone is noticed by its exit.
    if (this.child.connected) this.child.send(message, () => undefined);
  }

  private watchLimits(reading: Reading): NodeJS.Timeout {
    const { cpuMs, wallMs, rssMb } = limitsFor(reading.task.byteCount, this.limits);
    const cpuMsBefore = this.usage()?.cpuMs ?? 0;
    let workedMs = 0;
    return setInterval(() => {
      const usage = this.usage();
      if (usage && usage.rssMb > rssMb) this.kill(neededTooMuchMemory(rssMb));
      else if (usage && usage.cpuMs - cpuMsBefore > cpuMs) this.kill(tookTooLong('processor time', cpuMs));
      if (reading.credit <= 0 || reading.isSourceAwaited) return;
      workedMs += WATCH_INTERVAL_MS;
      if (workedMs > wallMs) this.kill(tookTooLong('time', wallMs));
    }, WATCH_INTERVAL_MS);
  }

  private usage(): ReturnType<typeof usageOf> {
    return this.child.pid === undefined ? null : usageOf(this.child.pid);
  }

  /** The process is done with its document and waits for another. */
  private finish(reading: Reading): void {
    clearInterval(this.watch);
    const { restingRssMbMax, documentsMax } = this.limits;
    this.reading = null;
    holdProcess(this.child, false);
    if (this.documents >= documentsMax || (this.usage()?.rssMb ?? 0) > restingRssMbMax) {
      this.kill(new Error('the parser process is replaced'));
    }
    reading.onFree();
  }

  /** The reader hears of it at once, whatever the process is doing. */
  private kill(reason: unknown): void {
    this.killedFor ??= { reason };
    if (this.reading) {
      this.reading.failure ??= { error: reason };
      this.reading.changed();
    }
    this.child.kill('SIGKILL');
  }

  private end(how: string): void {
    this.hasEnded = true;
    clearInterval(this.watch);
    if (this.reading) this.fail(this.reading, how);
  }

  /** The process is gone, and with it the document that it was reading. */
  private fail(reading: Reading, how: string): void {
    this.reading = null;
    const output = this.errorOutput.trim();
    const error = this.killedFor ? this.killedFor.reason : this.explain(`It ended with ${how}. ${output}`);
    reading.failure ??= { error };
    reading.changed();
    reading.onFree();
  }

  private explain(what: string): RagError {
    if (this.documents === 0) return notStarted(what);
    const cause = new Error(what);
    return saysOutOfMemory(what) ? neededTooMuchMemory(this.limits.heapMbMax, cause) : crashed(cause);
  }
}

function changeOf(reading: Reading): Promise<void> {
  return new Promise((resolve) => {
    reading.changed = resolve;
  });
}

import { type CheckResult, failed, type HealthCheck } from './health-check.js';

export interface TimedResult extends CheckResult {
  ms: number;
  checkedAt: Date;
}

/**
 * A check that is run at most once in a while, however many ask, and that ends in time: a probe that hangs would be taken
 * for a dead process.
 */
export class RememberedCheck {
  private last: { result: TimedResult; at: number } | null = null;
  private running: Promise<TimedResult> | null = null;

  constructor(
    private readonly check: HealthCheck,
    private readonly options: { rememberMs: number; timeoutMs: number },
  ) {}

  get name(): string {
    return this.check.name;
  }

  async result(): Promise<TimedResult> {
    if (this.last && performance.now() - this.last.at < this.options.rememberMs) return this.last.result;
    this.running ??= this.run().finally(() => {
      this.running = null;
    });
    return this.running;
  }

  private async run(): Promise<TimedResult> {
    const start = performance.now();
    const result = await this.inTime();
    const at = performance.now();
    const timed = { ...result, ms: Math.round((at - start) * 10) / 10, checkedAt: new Date() };
    this.last = { result: timed, at };
    return timed;
  }

  private async inTime(): Promise<CheckResult> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<CheckResult>((resolve) => {
      const { timeoutMs } = this.options;
      timer = setTimeout(() => resolve(failed(`no answer within ${timeoutMs} ms`)), timeoutMs);
    });
    try {
      return await Promise.race([this.check.run(), late]);
    } catch (error) {
      return failed(error instanceof Error ? error.message : String(error));
    } finally {
      clearTimeout(timer);
    }
  }
}

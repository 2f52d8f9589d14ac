export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevelName = (typeof logLevels)[number];

/** The level of this process's log, and a way to raise it for a while. */
export class LogLevel {
  private readonly configured: string;
  private timer: NodeJS.Timeout | undefined;
  private resetAt: Date | null = null;

  constructor(private readonly root: { level: string }) {
    this.configured = root.level;
  }

  get state(): { level: string; configured: string; resetsAt: Date | null } {
    return { level: this.root.level, configured: this.configured, resetsAt: this.resetAt };
  }

  /** @param forSeconds then the configured level is back; null: until it is set again, or the end of the process */
  set(level: LogLevelName, forSeconds: number | null): void {
    clearTimeout(this.timer);
    this.root.level = level;
    this.resetAt = forSeconds === null ? null : new Date(Date.now() + forSeconds * 1_000);
    if (forSeconds === null) return;
    this.timer = setTimeout(() => {
      this.root.level = this.configured;
      this.resetAt = null;
    }, forSeconds * 1_000).unref();
  }
}

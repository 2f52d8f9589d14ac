/** Degraded: what it stands for works worse or not at all, and requests can be answered all the same. */
export type CheckStatus = 'ok' | 'degraded' | 'failed';

export interface CheckResult {
  status: CheckStatus;
  /** For people; says what to do where something is wrong. */
  message: string;
}

export interface HealthCheck {
  readonly name: string;
  /** Throws for `failed`. */
  run(): Promise<CheckResult>;
}

export const ok = (message: string): CheckResult => ({ status: 'ok', message });
export const degraded = (message: string): CheckResult => ({ status: 'degraded', message });
export const failed = (message: string): CheckResult => ({ status: 'failed', message });

import { ServiceUnavailableException } from '@nestjs/common';
import type { HealthCheckResult, HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import { DEFAULT_TENANT, runAsTenant } from '#libs/database';
import type { CheckStatus, HealthCheck } from './health-check.js';
import { RememberedCheck } from './remembered-check.js';

export interface CheckReport {
  status: CheckStatus;
  message: string;
  ms: number;
  checkedAt: string;
}

export interface Readiness {
  /** `shutting_down`: it still answers, and wants no more requests. */
  status: 'ready' | 'not_ready' | 'shutting_down';
  uptimeSeconds: number;
  checks: Record<string, CheckReport>;
}

/** A probe may ask every second: checks are run at most this often. */
const REMEMBER_MS = 2_000;
const TIMEOUT_MS = 2_000;

export class HealthService {
  private readonly checks: readonly RememberedCheck[];
  private isShuttingDown = false;

  constructor(
    private readonly terminus: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    checks: readonly HealthCheck[],
  ) {
    const options = { rememberMs: REMEMBER_MS, timeoutMs: TIMEOUT_MS };
    this.checks = checks.map((check) => new RememberedCheck(check, options));
  }

  /** From now on nobody should send requests here. */
  shutDown(): void {
    this.isShuttingDown = true;
  }

  async readiness(): Promise<Readiness> {
    const uptimeSeconds = Math.round(process.uptime());
    const { status, details } = await runAsTenant(DEFAULT_TENANT, () =>
      this.terminus.check(this.checks.map((check) => () => this.indicate(check))),
    ).catch((error: unknown) => {
      if (error instanceof ServiceUnavailableException) return error.getResponse() as HealthCheckResult;
      throw error;
    });
    const checks = Object.fromEntries(
      Object.entries(details).map(([name, { report }]) => [name, report as CheckReport]),
    );
    if (this.isShuttingDown) return { status: 'shutting_down', uptimeSeconds, checks };
    return { status: status === 'ok' ? 'ready' : 'not_ready', uptimeSeconds, checks };
  }

  private async indicate(check: RememberedCheck) {
    const { status, message, ms, checkedAt } = await check.result();
    const report = { status, message, ms, checkedAt: checkedAt.toISOString() };
    const indicator = this.indicators.check(check.name);
    return status === 'failed' ? indicator.down({ report }) : indicator.up({ report });
  }
}

import type { Readiness } from './health.service.js';

/** As the api and the workers show it. */
export function presentReadiness({ status, uptimeSeconds, checks }: Readiness) {
  return {
    status,
    uptime_seconds: uptimeSeconds,
    checks: Object.fromEntries(
      Object.entries(checks).map(([name, { checkedAt, ...check }]) => [
        name,
        { ...check, checked_at: checkedAt },
      ]),
    ),
  };
}

import { clientOf, type ServiceOptions } from '../jobs.command.js';
import { describeService } from './describe-service.js';
import { lookAtService } from './look-at-service.js';

/** Is it well, and if not, why: one screen. Exits with 1 where it is not ready. */
export async function runStatus(options: ServiceOptions): Promise<void> {
  const view = await lookAtService(clientOf(options));
  const { isReady, lines } = describeService(view);
  if (options.json) console.log(JSON.stringify({ ...view, metrics: undefined }, null, 2));
  else console.log(lines.join('\n'));
  if (!isReady) process.exitCode = 1;
}

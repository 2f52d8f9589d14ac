import { percentile } from '../../store/statistics.js';
import { goal, shown, type Section, table } from '../../store/report.js';
import { assertAnswered, closedLoop } from '../closed-loop.js';
import { questionOf, startFilled } from '../filled-service.js';
import type { Measured } from '../measured.js';
import { openLoop, type OpenLoopResult } from '../open-loop.js';

const WARM_UP = 400;
const PARTIAL = 0.7;
const OVERLOAD = 3;
/** More than the service lets in, so that refusals don't wait in the client. */
const CONNECTIONS = 600;
const GOODPUT_MIN = 0.9;
const REFUSAL_MS_MAX = 50;
const SLOWER_MAX = 2;
/** What two cores work on at once, and the default, which is for questions that mostly wait for a model. */
const IN_FLIGHT = [16, 200];

const asked = { path: '/search', body: (number: number) => ({ question: questionOf(number) }) };

interface Outcome {
  inFlightMax: number;
  peakPerSecond: number;
  peakP99Ms: number;
  partial: OpenLoopResult;
  overload: OpenLoopResult;
}

/** What a process answers at its best, at 70 % of that, and when three times as much comes. */
export async function measureOverload({ environment, options }: Measured): Promise<Section> {
  const outcomes: Outcome[] = [];
  for (const inFlightMax of IN_FLIGHT) {
    outcomes.push(await measureWith(inFlightMax, environment, options.seconds));
  }
  const sized = outcomes[0]!;
  const [goodput, refusalP99Ms, slower] = judged(sized);
  const isMet = goodput >= GOODPUT_MIN && refusalP99Ms <= REFUSAL_MS_MAX && slower <= SLOWER_MAX;
  const failed = outcomes.reduce((sum, { partial, overload }) => sum + partial.failed + overload.failed, 0);
  return {
    title: 'More than a process can do',
    body: `${goal(`three times the best rate: at least ${GOODPUT_MIN} of it answered, refusals within ${REFUSAL_MS_MAX} ms, p99 of what is answered at most ${SLOWER_MAX} x`, isMet)}

POST /search, hybrid, 200 documents, vectors of the questions remembered, with key, limits and log. "Best" is a closed loop of as many clients
as \`HTTP_IN_FLIGHT_MAX\` lets in; then requests arrive at a rate, whether earlier ones are answered or not, for ${options.seconds} s each.
${failed} requests had another status than 200, 429 or 503, or no answer.

${table(
  [
    'HTTP_IN_FLIGHT_MAX',
    'best, answers/s',
    'p99 at best, ms',
    'p50, p99 at 70 %, ms',
    '3 x: answered/s, of best',
    'p99 answered, ms',
    'refused, p99 ms',
  ],
  outcomes.map((outcome) => {
    const { inFlightMax, peakPerSecond, peakP99Ms, partial, overload } = outcome;
    const [share, refusalMs, times] = judged(outcome);
    return [
      inFlightMax,
      Math.round(peakPerSecond),
      shown(peakP99Ms),
      `${shown(percentile(partial.accepted, 0.5))}, ${shown(percentile(partial.accepted, 0.99))}`,
      `${Math.round(overload.accepted.length / overload.seconds)}, ${share.toFixed(2)}`,
      `${shown(percentile(overload.accepted, 0.99))}, ${times.toFixed(2)} x`,
      `${overload.refused.length}, ${shown(refusalMs)}`,
    ];
  }),
)}`,
  };
}

/** @returns share of the best rate, p99 of refusals in ms, p99 of answers against that at the best rate */
function judged({ peakPerSecond, peakP99Ms, overload }: Outcome): [number, number, number] {
  return [
    overload.accepted.length / overload.seconds / peakPerSecond,
    percentile(overload.refused, 0.99),
    percentile(overload.accepted, 0.99) / peakP99Ms,
  ];
}

async function measureWith(
  inFlightMax: number,
  environment: Record<string, string>,
  seconds: number,
): Promise<Outcome> {
  const server = await startFilled({ ...environment, HTTP_IN_FLIGHT_MAX: String(inFlightMax) });
  try {
    const warm = await closedLoop(server, asked, { clients: inFlightMax, requests: WARM_UP });
    const requests = Math.round((WARM_UP / warm.seconds) * seconds);
    const peak = await closedLoop(server, asked, { clients: inFlightMax, requests });
    assertAnswered(server.name, peak);
    const peakPerSecond = requests / peak.seconds;
    const load = (share: number) =>
      openLoop(server, asked, { perSecond: peakPerSecond * share, seconds, connections: CONNECTIONS });
    return {
      inFlightMax,
      peakPerSecond,
      peakP99Ms: percentile(peak.latencies, 0.99),
      partial: await load(PARTIAL),
      overload: await load(OVERLOAD),
    };
  } finally {
    await server.stop();
  }
}

import { RagError } from '#libs/errors';

/** What is counted apart: slow uploads and long streams must not keep short requests out. */
export type Work = 'request' | 'upload' | 'stream';

export interface LoadLimits {
  inFlightMax: number;
  uploadsMax: number;
  streamsMax: number;
  /** 0: not looked at. */
  eventLoopDelayMsMax: number;
}

const RETRY_AFTER_SECONDS = 1;

/** Refuses at once what would only wait: the requests that are let in end in time. */
export class LoadGate {
  private readonly running = { request: 0, upload: 0, stream: 0 };
  private readonly most: Record<Work, number>;

  constructor(
    private readonly limits: LoadLimits,
    private readonly delay: { readonly ms: number },
  ) {
    this.most = { request: limits.inFlightMax, upload: limits.uploadsMax, stream: limits.streamsMax };
  }

  /** @throws {RagError} overloaded */
  assertRoom(work: Work): void {
    this.assertInTime();
    if (this.running[work] >= this.most[work]) throw overloaded();
  }

  /** Whatever is asked for. @throws {RagError} overloaded */
  assertInTime(): void {
    const { eventLoopDelayMsMax } = this.limits;
    if (eventLoopDelayMsMax > 0 && this.delay.ms > eventLoopDelayMsMax) throw overloaded();
  }

  /** @returns to be called once, at its end */
  enter(work: Work): () => void {
    this.running[work] += 1;
    return () => {
      this.running[work] -= 1;
    };
  }
}

function overloaded(): RagError {
  return new RagError('overloaded', 'This process has as much work as it can do. Try again in a moment.', {
    retryable: true,
    details: { retry_after_seconds: RETRY_AFTER_SECONDS },
  });
}

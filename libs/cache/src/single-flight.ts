interface Flight<T> {
  result: Promise<T>;
  controller: AbortController;
  waiting: number;
}

/** The same work asked for at the same time is done once. It ends early only when nobody waits for it any more. */
export class SingleFlight<T> {
  private readonly flights = new Map<string, Flight<T>>();

  /** @returns the result, and whether it is another caller's work. @throws what the work throws; the signal's reason */
  async run(
    key: string,
    work: (signal: AbortSignal) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<{ value: T; isShared: boolean }> {
    signal?.throwIfAborted();
    const running = this.flights.get(key);
    const flight = running ?? this.start(key, work);
    flight.waiting += 1;
    let onAbort: (() => void) | undefined;
    try {
      if (!signal) return { value: await flight.result, isShared: running !== undefined };
      const aborted = new Promise<never>((_resolve, reject) => {
        onAbort = () => reject(signal.reason as Error);
        signal.addEventListener('abort', onAbort, { once: true });
      });
      return { value: await Promise.race([flight.result, aborted]), isShared: running !== undefined };
    } finally {
      if (onAbort) signal?.removeEventListener('abort', onAbort);
      flight.waiting -= 1;
      if (flight.waiting === 0) {
        if (this.flights.get(key) === flight) this.flights.delete(key);
        flight.controller.abort(signal?.reason ?? new Error('nobody waits any more'));
      }
    }
  }

  private start(key: string, work: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const controller = new AbortController();
    const result = work(controller.signal);
    const flight: Flight<T> = { result, controller, waiting: 0 };
    this.flights.set(key, flight);
    const end = (): void => {
      if (this.flights.get(key) === flight) this.flights.delete(key);
    };
    result.then(end, end);
    return flight;
  }
}

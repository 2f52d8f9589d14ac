/** Keeps texts for a while. What it holds can always be made anew: a failing cache is a miss, never an error. */
export abstract class Cache {
  abstract get(key: string): Promise<string | null>;

  abstract set(key: string, value: string, seconds: number): Promise<void>;
}

export class NoCache extends Cache {
  get(): Promise<null> {
    return Promise.resolve(null);
  }

  set(): Promise<void> {
    return Promise.resolve();
  }
}

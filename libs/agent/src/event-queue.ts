/** Hands on what one side pushes to one that iterates. */
export class EventQueue<Event> {
  private readonly events: Event[] = [];
  private wake: (() => void) | null = null;
  private end: { error?: unknown } | null = null;

  push(event: Event): void {
    this.events.push(event);
    this.wake?.();
  }

  close(end: { error?: unknown } = {}): void {
    this.end ??= end;
    this.wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Event, void> {
    for (;;) {
      const event = this.events.shift();
      if (event !== undefined) yield event;
      else if (this.end) {
        if ('error' in this.end) throw this.end.error;
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
      }
    }
  }
}

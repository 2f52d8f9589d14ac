/** How the files of one run have ended. */
export class IndexReport {
  ready = 0;
  unchanged = 0;
  duplicate = 0;
  /** Cancelled or deleted by somebody meanwhile. */
  dropped = 0;
  readonly otherFormats: string[] = [];
  private readonly failures: { name: string; code: string; message: string }[] = [];

  get failedCount(): number {
    return this.failures.length;
  }

  fail(name: string, code: string, message: string): void {
    this.failures.push({ name, code, message });
  }

  lines(): string[] {
    const { ready, unchanged, duplicate, dropped, failedCount, otherFormats } = this;
    const counts = [`${ready} ready`, `${unchanged} unchanged`, `${failedCount} failed`];
    if (duplicate > 0) counts.push(`${duplicate} duplicate`);
    if (dropped > 0) counts.push(`${dropped} cancelled or deleted`);
    if (otherFormats.length > 0) counts.push(`${otherFormats.length} left out (other formats)`);
    return [
      ...this.failures.map(({ name, code, message }) => `failed: ${name}: ${code}: ${message}`),
      counts.join(', '),
    ];
  }
}

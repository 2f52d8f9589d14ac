/** The end of a long text, addressed by offsets into the whole of it. */
export class TextWindow {
  private text = '';
  private base = 0;

  /** Of all that was appended. */
  get length(): number {
    return this.base + this.text.length;
  }

  append(text: string): void {
    this.text = this.text === '' ? text : this.text + text;
  }

  /** @throws {RangeError} when a part of the span was dropped */
  slice(start: number, end: number): string {
    if (start < this.base) throw new RangeError(`the text before ${this.base} was dropped, not ${start}`);
    return this.text.slice(start - this.base, end - this.base);
  }

  /** What stands before the offset is not needed any more. */
  drop(offset: number): void {
    if (offset <= this.base) return;
    this.text = this.text.slice(offset - this.base);
    this.base = offset;
  }
}

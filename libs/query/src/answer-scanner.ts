/** A piece of an answer as Markdown has it. `raw` is what was written. */
export type AnswerToken =
  | { kind: 'space' | 'text' | 'code' | 'url' | 'element'; raw: string }
  /** `[1]`, `[1, 2]`, `[1: "quoted words"]`, also in the brackets of Chinese text. */
  | { kind: 'marker'; raw: string; numbers: number[]; quote: string | null }
  | { kind: 'link' | 'image'; raw: string; label: string; target: string }
  /** A line "QUOTES": what follows is not part of the answer. */
  | { kind: 'rest'; raw: string };

const MARKER =
  /^[[【]\s*(\d{1,3}(?:\s*[,，;、]\s*\d{1,3})*)\s*(?:[:：,，]?\s*["“”„「『«]([^\n]{1,2000}?)["”“」』»]\s*)?[\]】](?!\()/su;
const OPEN_MARKER =
  /^[[【]\s*\d{1,3}(?:\s*[,，;、]\s*\d{1,3})*\s*(?:[:：,，]?\s*(?:["“„「『«][^\n]{0,2000})?)?$/u;
const LINK = /^(!?)\[([^[\]\n]{0,1000})\]\(([^()\n]{0,2000}(?:\([^()\n]{0,500}\)[^()\n]{0,500})?)\)/;
const ELEMENT = /^<[a-z/!?][^<>]{0,2000}>/i;
const CODE = /^`[^`\n]{1,1000}`/;
/** Letters of addresses: a run of them is an address or a word, and its end decides which. */
const RUN = /^[\w+.:/%?&=#@~-]+/;
const URL_START =
  /(?:[a-z][a-z0-9+.-]*:\/\/|\/\/[\w-]+\.|www\.)|^(?:mailto|data|javascript|vbscript|blob|file):/i;
const URL_TAIL = /^[^\s<>"'`)\]】」』。，、；]*/u;
const REST = /^QUOTES[ \t*#_:]*(?:\n|$)/;

/** What is open can stay open for so long; then it was no marker, link or element. */
const OPEN_CHARACTERS_MAX = 2_600;

/**
 * Cuts Markdown that comes bit by bit into tokens. Holds back what the next bit could turn into something else: the
 * beginning of a marker, of a link, of an address.
 */
export class AnswerScanner {
  private pending = '';
  private isFenced = false;
  /** Of the line so far: whether it has anything but marks of headings and emphasis. */
  private isLineBare = true;

  push(text: string): AnswerToken[] {
    this.pending += text;
    return [...this.tokens(false)];
  }

  end(): AnswerToken[] {
    return [...this.tokens(true)];
  }

  private *tokens(isEnd: boolean): Generator<AnswerToken> {
    while (this.pending !== '') {
      const token = this.next(isEnd || this.pending.length > OPEN_CHARACTERS_MAX);
      if (!token) return;
      this.pending = this.pending.slice(token.raw.length);
      this.note(token);
      yield token;
    }
  }

  /** Null: more is needed to tell. */
  private next(isEnd: boolean): AnswerToken | null {
    const text = this.pending;
    const space = /^\s+/.exec(text)?.[0];
    if (space !== undefined)
      return space.length < text.length || isEnd ? { kind: 'space', raw: space } : null;
    if (text.startsWith('`')) return this.code(text, isEnd);
    if (!this.isFenced) {
      if (/^(?:!?\[|【|!$)/.test(text)) return this.bracket(text, isEnd);
      if (text.startsWith('<')) return element(text, isEnd);
    }
    return this.run(text, isEnd);
  }

  private code(text: string, isEnd: boolean): AnswerToken | null {
    if (text.startsWith('```')) return { kind: 'code', raw: '```' };
    if (!isEnd && /^`{1,2}$/.test(text)) return null;
    const code = this.isFenced ? undefined : CODE.exec(text)?.[0];
    if (code !== undefined) return { kind: 'code', raw: code };
    return isEnd || this.isFenced || text.includes('\n') ? { kind: 'text', raw: '`' } : null;
  }

  private bracket(text: string, isEnd: boolean): AnswerToken | null {
    const link = LINK.exec(text);
    if (link) {
      const [raw, mark, label, target] = link as unknown as [string, string, string, string];
      return { kind: mark === '' ? 'link' : 'image', raw, label, target: targetOf(target) };
    }
    const marker = MARKER.exec(text);
    // What follows decides: "[1](http://...)" is a link.
    if (marker && (isEnd || marker[0].length < text.length)) {
      const numbers = marker[1]!.split(/[,，;、]/).map(Number);
      return { kind: 'marker', raw: marker[0], numbers, quote: marker[2] ?? null };
    }
    const isOpen = OPEN_MARKER.test(text) || !isClosed(text);
    return isOpen && !isEnd ? null : { kind: 'text', raw: text[0]! };
  }

  private run(text: string, isEnd: boolean): AnswerToken | null {
    const run = RUN.exec(text)?.[0];
    if (run === undefined) {
      return { kind: 'text', raw: String.fromCodePoint(text.codePointAt(0)!) };
    }
    if (run.length === text.length && !isEnd) return null;
    if (this.isLineBare && run === 'QUOTES' && !this.isFenced) {
      const rest = REST.exec(text);
      if (rest && (isEnd || rest[0].endsWith('\n'))) return { kind: 'rest', raw: rest[0] };
      if (rest) return null;
    }
    const start = URL_START.exec(run);
    if (!start) return { kind: 'text', raw: run };
    if (start.index > 0) return { kind: 'text', raw: run.slice(0, start.index) };
    const tail = URL_TAIL.exec(text.slice(run.length))![0];
    const length = run.length + tail.length;
    return length < text.length || isEnd ? { kind: 'url', raw: text.slice(0, length) } : null;
  }

  private note({ kind, raw }: AnswerToken): void {
    if (raw === '```') this.isFenced = !this.isFenced;
    if (kind === 'space') this.isLineBare = raw.includes('\n') || this.isLineBare;
    else if (!/^[*#_>:-]+$/.test(raw)) this.isLineBare = false;
  }
}

function element(text: string, isEnd: boolean): AnswerToken | null {
  const raw = ELEMENT.exec(text)?.[0];
  if (raw !== undefined) return { kind: 'element', raw };
  const isOpen = /^<(?:[a-z/!?][^<>]{0,2000})?$/i.test(text);
  return isOpen && !isEnd ? null : { kind: 'text', raw: '<' };
}

/** Neither a marker nor a link, whatever follows. */
function isClosed(text: string): boolean {
  if (text === '!') return false;
  const close = /[\]】]/.exec(text)?.index;
  if (close === undefined) return text.includes('\n') || text.replace(/^!?\[/, '').includes('[');
  if (close === text.length - 1) return false;
  if (text[close + 1] !== '(') return true;
  const target = text.slice(close + 1);
  return target.includes('\n') || target.split('(').length === target.split(')').length;
}

/** Without the title and the pointed brackets that may surround it. */
function targetOf(inside: string): string {
  return inside.trim().split(/\s/, 1)[0]!.replace(/^<|>$/g, '');
}

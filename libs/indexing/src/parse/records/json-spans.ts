export interface JsonSpan {
  start: number;
  /** Exclusive. */
  end: number;
}

export interface JsonMember extends JsonSpan {
  /** Empty in a list. */
  name: string;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const word = /[^\s,\]}]+/y;
const notSpace = /[^\s]/g;

/** Where the value of a file stands. @throws {SyntaxError} when it breaks off, or more follows */
export function onlyValueOf(json: string): JsonSpan {
  const start = skipSpace(json, json.startsWith('\ufeff') ? 1 : 0);
  const end = endOfValue(json, start);
  if (skipSpace(json, end) < json.length) throw new SyntaxError(`text after the value, at ${end}`);
  return { start, end };
}

/**
 * Where the values of a list or object stand, none of them read: JSON.parse of each span says whether it is JSON.
 * @throws {SyntaxError} of the names, colons and commas between them
 */
export function* membersOf(json: string, { start, end }: JsonSpan): Generator<JsonMember, void> {
  const isObject = json[start] === '{';
  const close = end - 1;
  if (json[close] !== (isObject ? '}' : ']')) throw new SyntaxError(`not closed, at ${close}`);
  let offset = skipSpace(json, start + 1);
  while (offset < close) {
    let name = '';
    if (isObject) {
      expect(json, offset, '"');
      const nameEnd = endOfString(json, offset);
      name = JSON.parse(json.slice(offset, nameEnd)) as string;
      const colon = skipSpace(json, nameEnd);
      expect(json, colon, ':');
      offset = skipSpace(json, colon + 1);
    }
    const valueEnd = endOfValue(json, offset);
    yield { name, start: offset, end: valueEnd };
    offset = skipSpace(json, valueEnd);
    if (offset === close) return;
    expect(json, offset, ',');
    offset = skipSpace(json, offset + 1);
    if (offset === close) throw new SyntaxError(`a value is missing, at ${close}`);
  }
}

function endOfValue(json: string, start: number): number {
  const first = json[start];
  if (first === '"') return endOfString(json, start);
  if (first === '[' || first === '{') return endOfBrackets(json, start);
  word.lastIndex = start;
  if (!word.test(json)) throw new SyntaxError(`a value is missing, at ${start}`);
  return word.lastIndex;
}

function endOfBrackets(json: string, start: number): number {
  let depth = 0;
  for (let offset = start; offset < json.length; offset += 1) {
    const code = json.charCodeAt(offset);
    if (code === QUOTE) offset = endOfString(json, offset) - 1;
    else if (code === 0x5b || code === 0x7b) depth += 1;
    else if (code === 0x5d || code === 0x7d) {
      depth -= 1;
      if (depth === 0) return offset + 1;
    }
  }
  throw new SyntaxError('the text breaks off');
}

function endOfString(json: string, start: number): number {
  for (let offset = start + 1; offset < json.length; offset += 1) {
    const code = json.charCodeAt(offset);
    if (code === BACKSLASH) offset += 1;
    else if (code === QUOTE) return offset + 1;
  }
  throw new SyntaxError('a string breaks off');
}

function skipSpace(json: string, offset: number): number {
  notSpace.lastIndex = offset;
  return notSpace.exec(json)?.index ?? json.length;
}

function expect(json: string, offset: number, character: string): void {
  if (json[offset] !== character) throw new SyntaxError(`no ${character}, at ${offset}`);
}

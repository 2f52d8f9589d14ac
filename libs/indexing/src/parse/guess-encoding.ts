import { analyse } from 'chardet';

const SAMPLE_BYTES = 65_536;
/** Text before the first character that is not ASCII, which tells one Latin alphabet from another. */
const LEAD_BYTES = 512;
const CONFIDENCE_MIN = 20;
/** How much surer than of windows-1252 the detector must be, as it takes French with typographic quotes for Czech. */
const LATIN_MARGIN = 12;
/** Share of characters that must be letters, digits, ASCII or common marks. */
const READABLE_MIN = 0.97;
const latin = new Set([
  'ISO-8859-1',
  'ISO-8859-2',
  'ISO-8859-9',
  'windows-1250',
  'windows-1252',
  'windows-1254',
]);

/**
 * The encoding of text without a byte order mark, as a label for TextDecoder; null when it looks like none.
 * @param bytes not valid as UTF-8
 */
export function guessEncoding(bytes: Uint8Array): string | null {
  const sample = sampleOf(bytes);
  const guesses = new Map(
    analyse(sample.bytes)
      .filter(({ name, confidence }) => confidence >= CONFIDENCE_MIN && isSupported(name))
      .map(({ name, confidence }) => [name, confidence] as const),
  );
  const [best] = guesses;
  const isWestern = best && latin.has(best[0]) && best[1] < (guesses.get('windows-1252') ?? 0) + LATIN_MARGIN;
  const candidates = [
    ...(isWestern ? ['windows-1252'] : []),
    ...guesses.keys(),
    ...(best ? [] : shortTextEncodings(sample.bytes)),
  ];
  return candidates.find((encoding) => isReadableAs(sample, encoding)) ?? null;
}

/** UTF-16 without a byte order mark: one half of its line ends, spaces and ASCII letters is zero, always the same. */
export function utf16Of(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | null {
  const sample = bytes.subarray(0, SAMPLE_BYTES);
  if (sample.length < 4 || bytes.length % 2 === 1 || !sample.includes(0)) return null;
  const evenNuls = sample.filter((byte, offset) => byte === 0 && offset % 2 === 0).length;
  const oddNuls = sample.filter((byte, offset) => byte === 0 && offset % 2 === 1).length;
  const most = Math.max(evenNuls, oddNuls);
  // Text of few zeros is UTF-8 with stray ones if it can be; Chinese in UTF-16 never can.
  if (most * 8 < sample.length && isUtf8Start(sample)) return null;
  const encoding = evenNuls > oddNuls ? 'utf-16be' : 'utf-16le';
  const isOneSided = Math.min(evenNuls, oddNuls) * 20 < most;
  const hasAscii = /[ \n\w]/.test(new TextDecoder(encoding).decode(sample));
  return isOneSided && hasAscii && isReadableAs({ bytes: sample, reachesEnd: false }, encoding)
    ? encoding
    : null;
}

/** Whether a text could begin so in UTF-8; the last character may be cut. */
export function isUtf8Start(sample: Uint8Array): boolean {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(sample, { stream: true }) !== '';
  } catch {
    return false;
  }
}

/** A few characters fit many encodings: the common Chinese ones, then Japanese, then Western. */
function shortTextEncodings(sample: Uint8Array): string[] {
  const bytes = Buffer.from(sample).toString('latin1');
  const isCommonChinese = /^(?:[\0-\x7f]|[\xa1-\xa3\xb0-\xd7][\xa1-\xfe])*$/.test(bytes);
  return [...(isCommonChinese ? ['gb18030'] : []), 'shift_jis', 'windows-1252'];
}

interface Sample {
  bytes: Uint8Array;
  /** Or it may end inside a character. */
  reachesEnd: boolean;
}

function sampleOf(bytes: Uint8Array): Sample {
  const first = bytes.findIndex((byte) => byte > 0x7f);
  const start = Math.max(0, first - LEAD_BYTES);
  const end = start + SAMPLE_BYTES;
  return { bytes: bytes.subarray(start, end), reachesEnd: end >= bytes.length };
}

function isSupported(encoding: string): boolean {
  try {
    return new TextDecoder(encoding).encoding !== 'utf-8';
  } catch {
    return false;
  }
}

function isReadableAs(sample: Sample, encoding: string): boolean {
  return readableShare(sample, encoding) >= READABLE_MIN;
}

/** 0 where the bytes are not valid. */
function readableShare({ bytes, reachesEnd }: Sample, encoding: string): number {
  let text: string;
  try {
    text = new TextDecoder(encoding, { fatal: true }).decode(bytes, { stream: !reachesEnd });
  } catch {
    return 0;
  }
  const odd = text.match(/[^\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}\t\n\r\f]|[\p{Co}\ufffd]/gu)?.length ?? 0;
  const scripts =
    /[\p{Script=Latin}\p{Script=Han}\p{Script=Kana}\p{Script=Hira}\p{Script=Hangul}\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Thai}\p{N}\s]/gu;
  const known = text.match(scripts)?.length ?? 0;
  return known < text.length * 0.5 ? 0 : 1 - odd / Math.max(1, text.length);
}

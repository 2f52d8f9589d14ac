import type { eld as Detector } from 'eld/extrasmall';

/** PostgreSQL's text-search configurations by the ISO 639-1 codes that the detector gives. */
const configurations: Record<string, string | undefined> = {
  ar: 'arabic',
  ca: 'catalan',
  da: 'danish',
  de: 'german',
  el: 'greek',
  en: 'english',
  es: 'spanish',
  eu: 'basque',
  fi: 'finnish',
  fr: 'french',
  hi: 'hindi',
  hu: 'hungarian',
  hy: 'armenian',
  it: 'italian',
  lt: 'lithuanian',
  ms: 'indonesian', // Malay and Indonesian are one to it, and share their affixes
  nl: 'dutch',
  no: 'norwegian',
  pt: 'portuguese',
  ro: 'romanian',
  ru: 'russian',
  sr: 'serbian',
  sv: 'swedish',
  ta: 'tamil',
  tr: 'turkish',
};

/** The detector reads about 350 bytes at a time, so a document is asked in many places. */
const WINDOW_CHARACTERS = 400;
const WINDOWS_MAX = 24;
const SAMPLE_CHARACTERS_MAX = 200_000;
const LETTERS_MIN = 20;
/** Of the windows with words in them. */
const AGREEMENT_MIN = 0.6;

/**
 * The text-search configuration for a text that is clearly in one language: `simple` for languages that have none and
 * for scripts without spaces. Null where no language is clear: in short notes, tables, texts in several languages.
 */
export async function detectLanguage(text: string): Promise<string | null> {
  const detector = await load();
  const votes = new Map<string, number>();
  let windows = 0;
  for (const window of windowsOf(text)) {
    if ((window.match(/\p{L}/gu)?.length ?? 0) < LETTERS_MIN) continue;
    windows += 1;
    const result = detector.detect(window);
    if (result.isReliable()) votes.set(result.language, (votes.get(result.language) ?? 0) + 1);
  }
  const [winner] = [...votes].sort(([, a], [, b]) => b - a);
  if (!winner || winner[1] < windows * AGREEMENT_MIN) return null;
  return configurations[winner[0]] ?? 'simple';
}

/** Evenly from the start of the text. */
function* windowsOf(text: string): Iterable<string> {
  const length = Math.min(text.length, SAMPLE_CHARACTERS_MAX);
  const step = Math.max(WINDOW_CHARACTERS, Math.floor(length / WINDOWS_MAX));
  for (let start = 0; start < length; start += step) yield text.slice(start, start + WINDOW_CHARACTERS);
}

let loaded: typeof Detector | undefined;

/** At the first use: it takes 86 MB. */
async function load(): Promise<typeof Detector> {
  if (!loaded) {
    ({ eld: loaded } = await import('eld/extrasmall'));
    loaded.enableTextCleanup(true); // web addresses and codes with digits are no words
  }
  return loaded;
}

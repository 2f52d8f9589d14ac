import { citations as citationsCounted } from '#libs/metrics';
import type { Source } from '#libs/retrieval';
import { citeQuote, type Citation, type DegradedReason } from './answer.js';
import { bestSupport } from './sentence-support.js';

export interface CheckedText {
  text: string;
  citations: Citation[];
  degradedReasons: DegradedReason[];
}

const noEvidenceAlone = /^[\s*_"'.]*NO_EVIDENCE[\s*_"'.]*$/;
const quotesLine = /^[ \t*#_>:-]*QUOTES[ \t*#_:]*$/m;
const markersOrCode = /`[^`\n]*`|\s*(?:\[\d{1,3}\])+/g;

/**
 * Takes a model's reply apart and keeps only citations that hold: `[n]` must name a source and its quote must stand
 * in that source. A marker without a quote gets the source's sentence that supports the sentence before it, if one
 * does. Markers that don't hold are removed from the text. Null when the model says the sources hold no answer.
 */
export function checkGenerated(reply: string, sources: readonly Source[]): CheckedText | null {
  const { body, quotes } = splitReply(reply);
  if (noEvidenceAlone.test(body)) return null;

  const citations: Citation[] = [];
  let dropped = 0;
  const numberOf = (sourceNumber: number, claim: string): number | null => {
    const source = sources[sourceNumber - 1];
    const given = quotes.get(sourceNumber);
    // One quote may serve several statements: the last of a source is used again.
    const quote =
      source && ((given && given.length > 1 ? given.shift() : given?.[0]) ?? bestSupport(claim, source));
    const citation = source && quote ? citeQuote(source, quote, citations.length + 1) : null;
    if (!citation) return null;
    const same = citations.find(
      (known) =>
        known.documentId === citation.documentId &&
        known.start === citation.start &&
        known.end === citation.end,
    );
    if (same) return same.number;
    citations.push(citation);
    return citation.number;
  };

  const text = body.replace(markersOrCode, (markers: string, offset: number) => {
    if (markers.startsWith('`')) return markers; // argv[1] in code cites nothing
    const claim = sentenceBefore(body, offset);
    const kept = [...markers.matchAll(/\[(\d+)\]/g)].flatMap(([, digits]) => {
      const number = numberOf(Number(digits), claim);
      if (number === null) dropped += 1;
      return number === null ? [] : [`[${number}]`];
    });
    return kept.length > 0 ? ` ${[...new Set(kept)].join('')}` : '';
  });

  citationsCounted.inc({ verified: 'true' }, citations.length);
  citationsCounted.inc({ verified: 'false' }, dropped);
  const degradedReasons: DegradedReason[] = [];
  if (dropped > 0) degradedReasons.push('citation_unverified');
  if (citations.length === 0) degradedReasons.push('uncited_answer');
  return { text: text.trim(), citations, degradedReasons };
}

/** The answer, and below a line "QUOTES" one `[n] "words of source n"` a line. */
function splitReply(reply: string): { body: string; quotes: Map<number, string[]> } {
  const [body, quoteLines] = reply.split(quotesLine, 2) as [string, string | undefined];
  const quotes = new Map<number, string[]>();
  for (const [, digits, quote] of (quoteLines ?? '').matchAll(
    /^\s*[-*]?\s*\[(\d{1,3})\]:?\s*["“「]?(.*?)["”」]?\s*$/gm,
  )) {
    const number = Number(digits);
    quotes.set(number, [...(quotes.get(number) ?? []), quote!]);
  }
  return { body: body.trim(), quotes };
}

function sentenceBefore(text: string, offset: number): string {
  const before = text.slice(0, offset).replace(/\[\d{1,3}\]/g, '');
  return before.split(/(?<=[.!?。！？])\s+|\n+/).at(-1) ?? before;
}

import { citations as countedCitations } from '#libs/metrics';
import type { Source } from '#libs/retrieval';
import { analyzeTerms, splitSentences } from '#libs/text-analysis';
import { type Citation, citeQuote, type DegradedReason, type TextRange } from './answer.js';
import { AnswerScanner, type AnswerToken } from './answer-scanner.js';
import { type OutputPolicy, withoutInvisible } from './output-policy.js';
import { bestSupport } from './sentence-support.js';

export interface CheckedText {
  text: string;
  citations: Citation[];
  /** Sentences that no citation supports. */
  unsupported: TextRange[];
  degradedReasons: DegradedReason[];
}

const NO_EVIDENCE = /^[\s*_"'.`]*NO_EVIDENCE[\s*_"'.`]*(?:QUOTES[^]*)?$/;
const MAYBE_NO_EVIDENCE = /^[\s*_"'.`]*(?:N|NO|NO_\w{0,7}|NO_EVIDENCE[\s*_"'.`]*)?$/;
const BEGINNING_CHARACTERS_MAX = 200;
type MarkerToken = Extract<AnswerToken, { numbers: number[] }>;
type LinkToken = Extract<AnswerToken, { label: string }>;
type ShownToken = LinkToken | { kind: 'text' | 'code' | 'url' | 'element'; raw: string };

/** A sentence of fewer terms states nothing that a source could support: "Yes:", a heading. */
const CLAIM_TERMS_MIN = 3;

/**
 * Takes a model's reply as it is written, and hands out what may be shown of it: citations that hold, no address that the
 * policy refuses. `[n]` must name a source, and its quote must stand in that source to the letter; without a quote it gets
 * the source's sentence that supports the sentence before it, if one does. Markers that don't hold are left out, the others
 * are numbered from 1. What was handed out is final: all of it together is `text`.
 */
export class CitedText {
  private readonly scanner = new AnswerScanner();
  private readonly citations: Citation[] = [];
  private beginning: string | null = '';
  private halfCharacter = '';
  private text = '';
  /** Of the push that is being taken. */
  private shown = '';
  private heldSpace = '';
  private droppedMarkers = 0;
  private removedLinks = 0;
  private hasEnded = false;

  constructor(
    private readonly sources: readonly Source[],
    private readonly policy: OutputPolicy,
  ) {}

  /** The citations so far, in the order of their numbers. */
  get cited(): readonly Citation[] {
    return this.citations;
  }

  /** @returns what may be shown now */
  push(text: string): string {
    const whole = this.halfCharacter + text;
    this.halfCharacter = /[\uD800-\uDBFF]$/.exec(whole)?.[0] ?? '';
    const visible = withoutInvisible(whole.slice(0, whole.length - this.halfCharacter.length));
    if (this.beginning === null) return this.take(this.scanner.push(visible));
    this.beginning += visible;
    const isOpen = MAYBE_NO_EVIDENCE.test(this.beginning) || NO_EVIDENCE.test(this.beginning);
    if (isOpen && this.beginning.length < BEGINNING_CHARACTERS_MAX) return '';
    return this.begin();
  }

  /** @returns the last of it */
  end(): string {
    if (this.isNoEvidence) return '';
    const last = (this.beginning === null ? '' : this.begin()) + this.take(this.scanner.end());
    this.hasEnded = true;
    return last;
  }

  /** The model says that the sources hold no answer. */
  get isNoEvidence(): boolean {
    return this.beginning !== null && NO_EVIDENCE.test(this.beginning);
  }

  /** After the end. Null when the sources hold no answer. */
  get checked(): CheckedText | null {
    if (this.isNoEvidence || !this.hasEnded) return null;
    const degradedReasons: DegradedReason[] = [];
    if (this.droppedMarkers > 0) degradedReasons.push('citation_unverified');
    if (this.citations.length === 0) degradedReasons.push('uncited_answer');
    if (this.removedLinks > 0) degradedReasons.push('link_removed');
    const { text, citations } = this;
    return { text, citations, unsupported: unsupportedIn(text, citations), degradedReasons };
  }

  private begin(): string {
    const beginning = this.beginning!;
    this.beginning = null;
    return this.take(this.scanner.push(beginning.trimStart()));
  }

  private take(tokens: readonly AnswerToken[]): string {
    this.shown = '';
    for (const token of tokens) {
      if (this.hasEnded) break;
      if (token.kind === 'rest') this.hasEnded = true;
      else if (token.kind === 'space') this.heldSpace = this.heldSpace === '' ? token.raw : this.heldSpace;
      else this.add(token as ShownToken | MarkerToken);
    }
    return this.shown;
  }

  private add(token: ShownToken | MarkerToken): void {
    if (token.kind === 'marker') return this.addMarkers(token.numbers, token.quote);
    const shown = this.shownOf(token);
    if (shown === '') return;
    this.show(this.text === '' ? shown : this.heldSpace + shown);
    this.heldSpace = '';
  }

  /** Kept apart from the text: a slice of that would copy it whole for each piece, and hold the copy as long as the piece. */
  private show(piece: string): void {
    this.text += piece;
    this.shown += piece;
  }

  private shownOf(token: ShownToken): string {
    switch (token.kind) {
      case 'text':
        return token.raw;
      case 'code':
        return this.withoutUrls(token.raw);
      case 'element':
        return this.elementOf(token.raw);
      case 'url': {
        // A point or an asterisk at the end belongs to the sentence.
        const [url] = /^.*?(?=[.,;:!?*_]*$)/u.exec(token.raw)!;
        return (
          (this.policy.allowsUrl(url) ? url : this.remove('(link removed)')) + token.raw.slice(url.length)
        );
      }
      case 'link':
        return this.policy.allowsUrl(token.target)
          ? `[${this.withoutUrls(token.label)}](${token.target})`
          : this.remove(this.withoutUrls(token.label));
      default:
        return this.remove(this.withoutUrls(token.label));
    }
  }

  private elementOf(tag: string): string {
    const url = /^<(https?:\/\/[^>\s]+)>$/i.exec(tag)?.[1];
    if (url !== undefined) return this.policy.allowsUrl(url) ? tag : this.remove('(link removed)');
    if (/^<(?:[a-z][a-z0-9+.-]*:|[^<>\s]+@)/i.test(tag)) return this.remove('(link removed)');
    return this.policy.allowsElement(tag) ? tag : this.remove('');
  }

  private withoutUrls(text: string): string {
    return text.replaceAll(/(?:[a-z][a-z0-9+.-]*:\/\/|www\.)[^\s"'`)\]]*/gi, (url) =>
      this.policy.allowsUrl(url) ? url : this.remove('(link removed)'),
    );
  }

  private remove(instead: string): string {
    this.removedLinks += 1;
    return instead;
  }

  private addMarkers(numbers: readonly number[], quote: string | null): void {
    const range = sentencesOf(this.text).at(-1) ?? { start: 0, end: 0 };
    const claim = this.text.slice(range.start, range.end).replaceAll(/\[\d{1,3}\]/g, '');
    // A marker belongs to the sentence before it, unless it begins a line.
    if (!this.heldSpace.includes('\n')) this.heldSpace = '';
    for (const number of numbers) {
      const citation = this.cite(number, quote, claim);
      if (!citation) {
        this.droppedMarkers += 1;
        countedCitations.inc({ verified: 'false' });
        continue;
      }
      countedCitations.inc({ verified: 'true' });
      if (!citation.answerRanges.some(({ start }) => start === range.start))
        citation.answerRanges.push(range);
      this.addMarker(`[${citation.number}]`);
    }
  }

  private addMarker(marker: string): void {
    if (this.heldSpace === '' && this.text.endsWith(marker)) return;
    const space = /(?:^|\[\d{1,3}\])$/.test(this.text) ? '' : ' ';
    this.show((this.heldSpace || space) + marker);
    this.heldSpace = '';
  }

  private cite(sourceNumber: number, givenQuote: string | null, claim: string): Citation | null {
    const source = this.sources[sourceNumber - 1];
    if (!source) return null;
    const quote = givenQuote ?? bestSupport(claim, source);
    const found = quote === null ? null : citeQuote(source, quote, this.citations.length + 1);
    if (!found) return null;
    const same = this.citations.find(
      ({ documentId, start, end }) =>
        documentId === found.documentId && start === found.start && end === found.end,
    );
    if (!same) this.citations.push(found);
    return same ?? found;
  }
}

/** Without markers at their beginning: those belong to the sentence before. */
function sentencesOf(text: string): TextRange[] {
  return splitSentences(text).flatMap(({ start, end }) => {
    const markers = /^(?:\s*\[\d{1,3}\])*\s*/.exec(text.slice(start, end))![0].length;
    return start + markers < end ? [{ start: start + markers, end }] : [];
  });
}

function unsupportedIn(text: string, citations: readonly Citation[]): TextRange[] {
  const supported = citations.flatMap(({ answerRanges }) => answerRanges);
  return sentencesOf(text).filter((range) => {
    if (supported.some(({ start, end }) => start < range.end && end > range.start)) return false;
    const sentence = text.slice(range.start, range.end);
    if (/^(?:#|```|\|[\s:|-]+$)/.test(sentence) || sentence.endsWith(':')) return false;
    return analyzeTerms(sentence).length >= CLAIM_TERMS_MIN;
  });
}

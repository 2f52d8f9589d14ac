import type { Source } from '#libs/retrieval';
import { AnswerScanner } from './answer-scanner.js';

/** Elements that load something, run something or lead somewhere. */
const ACTIVE_ELEMENT =
  /^<\/?(?:a|area|audio|base|button|embed|form|frame|frameset|iframe|image|img|input|link|map|math|meta|object|picture|script|source|style|svg|track|video)\b/i;
const WITH_ATTRIBUTES = /^<[a-z][^>\s]*\s+[^>]*=/i;
/** Unicode tags and the supplement of variation selectors: nobody sees them, and models read them. */
const INVISIBLE = /[\u{E0000}-\u{E007F}]|[\u{E0100}-\u{E01EF}]/gu;

/** Text that only a model can see. */
export function withoutInvisible(text: string): string {
  return text.replaceAll(INVISIBLE, '');
}

function isActive(tag: string): boolean {
  return ACTIVE_ELEMENT.test(tag) || WITH_ATTRIBUTES.test(tag);
}

/** The words of a document without what a client would load or run when it shows them. Links stay: nobody has made them up. */
export function withoutActiveContent(text: string): string {
  const scanner = new AnswerScanner();
  const tokens = [...scanner.push(withoutInvisible(text)), ...scanner.end()];
  return tokens
    .map((token) => {
      if (token.kind === 'image') return token.label;
      return token.kind === 'element' && isActive(token.raw) ? '' : token.raw;
    })
    .join('');
}

/**
 * What an answer may lead to. A document can ask the model to write a link or an image whose address carries what the
 * model has read; so addresses are kept only where they stand in the sources to the letter and lead to where one of these
 * documents came from, or to a host that the operator trusts. Images are never kept: clients load them unasked.
 */
export class OutputPolicy {
  private readonly hosts: ReadonlySet<string>;

  /** @param trustedHosts lower case; "*" trusts every host, of addresses that stand in the sources */
  constructor(
    private readonly sources: readonly Pick<Source, 'text' | 'externalId'>[],
    private readonly trustedHosts: ReadonlySet<string>,
  ) {
    this.hosts = new Set(sources.flatMap(({ externalId }) => hostOf(externalId) ?? []));
  }

  allowsUrl(url: string): boolean {
    const host = hostOf(url);
    if (host === null) return false;
    if (!this.trustedHosts.has('*') && !this.trustedHosts.has(host) && !this.hosts.has(host)) return false;
    return this.sources.some(({ externalId, text }) => externalId === url || text.includes(url));
  }

  allowsElement(tag: string): boolean {
    return !isActive(tag);
  }
}

function hostOf(url: string): string | null {
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) return null;
  return new URL(url).host.toLowerCase();
}

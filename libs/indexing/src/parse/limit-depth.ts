import { Parser } from 'htmlparser2';

/** Of pages that people read none is above 60. Finding the main content reads the text again at each level. */
const DEPTH_MAX = 200;
const CHUNK_CHARACTERS = 65_536;
const tag =
  /<!--[\s\S]*?-->|<(script|style)\b[\s\S]*?<\/\1\s*>|<(\/?)([a-z][a-z0-9:-]{0,50})(?=[\s/>])[^>]*>/gi;
const emptyElement = /^(?:area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr)$/i;

/**
 * HTML without the tags that stand deeper than anything can be read; their text stays. A page that never closes its
 * tags is nested as deep as it is long.
 */
export function limitDepth(html: string): string {
  return isTooDeep(html) ? flattened(html) : html;
}

/** Stops where it is: the parser's time grows with the square of the depth. */
function isTooDeep(html: string): boolean {
  let depth = 0;
  let deepest = 0;
  const parser = new Parser({
    onopentagname() {
      depth += 1;
      deepest = Math.max(deepest, depth);
    },
    onclosetag() {
      depth -= 1;
    },
  });
  for (let offset = 0; offset < html.length; offset += CHUNK_CHARACTERS) {
    parser.write(html.slice(offset, offset + CHUNK_CHARACTERS));
    if (deepest > DEPTH_MAX) return true;
  }
  return false;
}

function flattened(html: string): string {
  let depth = 0;
  const flat = html.replaceAll(
    tag,
    (whole: string, _raw: string | undefined, slash: string | undefined, name?: string) => {
      if (name === undefined || emptyElement.test(name) || whole.endsWith('/>')) return whole;
      if (slash !== '/') depth += 1;
      const isKept = depth <= DEPTH_MAX;
      if (slash === '/') depth = Math.max(0, depth - 1);
      return isKept ? whole : ' ';
    },
  );
  return flat.replaceAll(/ {2,}/g, ' ');
}

import { Parser } from 'htmlparser2';

/** Browsers stop at 512 too. Readers of HTML go down by recursion. */
const DEPTH_MAX = 400;

/**
 * HTML without the tags that stand deeper than anything can be read; their text stays. A page that never closes its
 * tags is nested as deep as it is long.
 */
export function limitDepth(html: string): string {
  return depthOf(html) > DEPTH_MAX ? flattened(html) : html;
}

function depthOf(html: string): number {
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
  parser.end(html);
  return deepest;
}

function flattened(html: string): string {
  const parts: string[] = [];
  let depth = 0;
  const parser = new Parser(
    {
      onopentag(name, attributes) {
        depth += 1;
        if (depth > DEPTH_MAX) return;
        const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(value)}"`);
        parts.push(`<${name}${written.join('')}>`);
      },
      onclosetag(name) {
        parts.push(depth > DEPTH_MAX ? ' ' : `</${name}>`);
        depth -= 1;
      },
      ontext(text) {
        parts.push(escaped(text));
      },
    },
    { decodeEntities: true },
  );
  parser.end(html);
  return parts.join('');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

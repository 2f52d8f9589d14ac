import type { TextSpan } from '#libs/text-analysis';

const NAME_CHARACTERS_MAX = 80;
/** No signature is longer; the patterns below are not linear. */
const LINE_CHARACTERS_MAX = 300;

/** What only stands before or after a definition: comments, decorators, attributes, closing brackets. */
const noSignature = /^(?:\/\/|\/\*|\*|#|--|@|"""|'''|\[|[)\]}>;,]|end\b|$)/;
/** A word that defines, with up to 6 words before it such as `export default async`, and the name after it. */
const keyword =
  /^(?:[\w<>,&*()]{1,40}\s+){0,6}?(?:class|interface|struct|enum|trait|impl|union|record|object|module|mod|namespace|package|protocol|extension|type|def|fn|fun|func|function|sub|procedure|macro_rules!)\b\*?\s*(?:<[^>]{0,80}>\s*|\([^)]{0,80}\)\s*)?(?<name>[\p{L}_$][\p{L}\p{N}_$.:]{0,100})/u;
/** `name(...) {` after types and modifiers, `name = (...) =>`, `name: function`. */
const callable =
  /^(?:[\w<>,&*[\]:.?]{1,60}\s+){0,6}?(?<name>[\p{L}_$#~][\p{L}\p{N}_$:]{0,100})\s*(?:\([^;]*\)[^;]*\{\s*$|[:=]\s*(?:async\s*)?(?:function\b|\([^;]*=>|[\w$]+\s*=>))/u;
const control =
  /^(?:if|else|for|foreach|while|switch|case|catch|try|do|return|throw|with|match|when|unless|until|new|await|yield)\b/;

interface Definition {
  /** Of its first line. */
  indent: number;
  name: string;
}

/**
 * Which definitions a piece of source code is part of, told by indentation: the same for languages with braces and
 * without.
 */
export class DefinitionScopes {
  private open: Definition[] = [];

  /**
   * For each span of a definition the names it stands below and the one it begins with, outermost first. A span is the
   * whole definition or a line of it. Call with the blocks in order.
   */
  scopesOf(text: string, block: TextSpan, spans: readonly TextSpan[]): string[][] {
    let isSigned = false;
    let above = 0; // spans of comments and decorators above the signature, which belong to it
    const scopes: string[][] = [];
    for (const span of spans) {
      let scope: string[] | null = null;
      for (const { line, indent } of linesOf(text, span)) {
        this.open = this.open.filter((outer) => outer.indent < indent);
        const name = isSigned ? nestedName(line) : signedName(line);
        isSigned = true;
        if (name) this.open.push({ indent, name: name.replace(/[.:]+$/, '').toWellFormed() });
        scope ??= this.names;
      }
      if (!isSigned) above += 1;
      scopes.push(scope ?? this.names);
    }
    return scopes.map((scope, index) => (index < above ? (scopes[above] ?? scope) : scope));
  }

  private get names(): string[] {
    return this.open.map(({ name }) => name);
  }
}

/** Lines of code that begin in the span. */
function* linesOf(text: string, { start, end }: TextSpan): Iterable<{ line: string; indent: number }> {
  for (let offset = start; offset < end;) {
    const newline = text.indexOf('\n', offset);
    const lineEnd = newline < 0 ? text.length : newline;
    const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
    const before = text.slice(Math.max(lineStart, offset - LINE_CHARACTERS_MAX), offset);
    const source = text.slice(offset, Math.min(lineEnd, offset + LINE_CHARACTERS_MAX));
    const line = source.trim();
    if (before.trim() === '' && !noSignature.test(line)) {
      yield { line, indent: before.length + source.length - source.trimStart().length };
    }
    offset = lineEnd + 1;
  }
}

function nestedName(line: string): string | undefined {
  if (control.test(line)) return undefined;
  return (keyword.exec(line) ?? callable.exec(line))?.groups?.['name'];
}

/** The first line of a definition is one, whatever its form. */
function signedName(line: string): string {
  const called = /(?<name>[\p{L}_$][\p{L}\p{N}_$:]{0,100})\s*\(/u.exec(line)?.groups?.['name'];
  return nestedName(line) ?? called ?? line.slice(0, NAME_CHARACTERS_MAX);
}

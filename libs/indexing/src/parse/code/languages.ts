/** The grammar that reads a language; null where the source is cut at blank lines. */
interface SourceLanguage {
  grammar: string | null;
  extensions: readonly string[];
  /** Of the program that a script's first line names. */
  interpreter?: RegExp;
}

const languages = {
  'text/x-typescript': { grammar: 'typescript', extensions: ['.ts', '.mts', '.cts'] },
  'text/x-tsx': { grammar: 'tsx', extensions: ['.tsx'] },
  'text/javascript': {
    grammar: 'javascript',
    extensions: ['.js', '.mjs', '.cjs', '.jsx'],
    interpreter: /^(?:node|deno|bun)/,
  },
  'text/x-python': { grammar: 'python', extensions: ['.py', '.pyi', '.pyw'], interpreter: /^python/ },
  'text/x-go': { grammar: 'go', extensions: ['.go'] },
  'text/x-java': { grammar: 'java', extensions: ['.java'] },
  'text/x-c++': {
    grammar: 'cpp',
    extensions: ['.c', '.h', '.cc', '.cpp', '.cxx', '.hh', '.hpp', '.hxx', '.ino', '.cu'],
  },
  'text/x-csharp': { grammar: 'c-sharp', extensions: ['.cs'] },
  'text/x-rust': { grammar: 'rust', extensions: ['.rs'] },
  'text/x-ruby': { grammar: 'ruby', extensions: ['.rb', '.rake', '.gemspec'], interpreter: /^ruby/ },
  'text/x-php': { grammar: 'php', extensions: ['.php', '.phtml'], interpreter: /^php/ },
  'text/x-shellscript': {
    grammar: 'bash',
    extensions: ['.sh', '.bash', '.zsh', '.ksh'],
    interpreter: /^(?:ba|da|k|z)?sh$/,
  },
  'text/x-powershell': { grammar: 'powershell', extensions: ['.ps1', '.psm1'], interpreter: /^pwsh/ },
  'text/x-source': {
    grammar: null,
    // prettier-ignore
    extensions: [
      '.kt', '.kts', '.swift', '.scala', '.lua', '.pl', '.pm', '.r', '.jl', '.dart', '.ex', '.exs', '.erl', '.hs',
      '.clj', '.groovy', '.gradle', '.m', '.mm', '.sql', '.vb', '.f90', '.pas', '.zig', '.nim', '.proto', '.graphql',
      '.tf', '.css', '.scss', '.less', '.vue', '.svelte', '.cmake', '.asm', '.s',
    ],
    interpreter: /^(?:perl|lua|Rscript|awk|tclsh)/,
  },
} satisfies Record<string, SourceLanguage>;

export type SourceMediaType = keyof typeof languages;

const entries = Object.entries(languages) as [SourceMediaType, SourceLanguage][];
const typeByExtension = new Map(
  entries.flatMap(([type, { extensions }]) => extensions.map((extension) => [extension, type])),
);

/** @param extension in lower case, with its dot */
export function sourceTypeByExtension(extension: string): SourceMediaType | null {
  return typeByExtension.get(extension) ?? null;
}

/** By the program that a script's first line names: `#!/usr/bin/env python3`. */
export function sourceTypeByFirstLine(start: string): SourceMediaType | null {
  const program = /^#!\s*(?:\S*\/)?(?:env\s+(?:-S\s+)?)?(?:\S*\/)?(\S+)/.exec(start)?.[1];
  if (!program) return null;
  return entries.find(([, { interpreter }]) => interpreter?.test(program))?.[0] ?? null;
}

export function grammarOf(type: SourceMediaType): string | null {
  return languages[type].grammar;
}

export function isSourceType(type: string): type is SourceMediaType {
  return type in languages;
}

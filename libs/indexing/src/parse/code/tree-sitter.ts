import { createRequire } from 'node:module';
import treeSitter, { type Language, type Parser } from '@vscode/tree-sitter-wasm';

const { resolve } = createRequire(import.meta.url);
const languages = new Map<string, Promise<Language>>();
let started: Promise<void> | null = null;

/** A parser for one text, to be deleted after it. Grammars are compiled once, 5 to 40 ms each. */
export async function parserFor(grammar: string): Promise<Parser> {
  started ??= treeSitter.Parser.init();
  await started;
  let language = languages.get(grammar);
  if (!language) {
    language = treeSitter.Language.load(resolve(`@vscode/tree-sitter-wasm/wasm/tree-sitter-${grammar}.wasm`));
    languages.set(grammar, language);
  }
  const parser = new treeSitter.Parser();
  return parser.setLanguage(await language);
}

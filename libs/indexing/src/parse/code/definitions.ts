import type { Node } from '@vscode/tree-sitter-wasm';
import type { TextSpan } from '#libs/text-analysis';

/** A definition above this is given as its head and its members, where it has some. In characters. */
const WHOLE_MAX = 1_500;
const DEPTH_MAX = 16;

/** Over all grammars: what a node that defines something is called. */
const definition =
  /^(?:abstract_class|annotation_type|class|constructor|decorated|destructor|delegate|enum|file_scoped_namespace|function|generator_function|impl|interface|internal_module|macro|method|mod|module|namespace|property|record|singleton_method|struct|template|trait|type|type_alias|union|class_method)(?:_declaration|_definition|_item|_specifier|_statement)?$/;
/** Statements that may only carry a definition: `export`, `const f = () =>`, `module.exports = class`. */
const carrier =
  /^(?:export_statement|ambient_declaration|lexical_declaration|variable_declaration|variable_declarator|declaration|expression_statement|assignment_expression|linkage_specification)$/;
const callable = /^(?:arrow_function|function_expression|function|class)$/;
const container =
  /(?:_body|_list|block|body|body_statement)$|^(?:preproc_\w+|linkage_specification|program|source_file|translation_unit|compilation_unit|module)$/;
const attached = /comment|^(?:attribute_item|decorator|annotation|attribute_list)$/;

/** Functions, classes and the like in order, without overlap, each with the comments right above it. */
export function definitionSpans(text: string, root: Node): TextSpan[] {
  const spans: TextSpan[] = [];
  addMembers(text, root, spans, 0);
  return spans;
}

function addMembers(text: string, node: Node, spans: TextSpan[], depth: number): void {
  let lead: TextSpan | null = null; // comments that the next definition may own
  for (const child of node.namedChildren) {
    if (!child) continue;
    if (attached.test(child.type)) {
      const start: number =
        lead && isAdjacent(text, lead.end, child.startIndex) ? lead.start : child.startIndex;
      lead = { start, end: child.endIndex };
      continue;
    }
    const start = lead && isAdjacent(text, lead.end, child.startIndex) ? lead.start : child.startIndex;
    lead = null;
    if (isDefinition(child)) addDefinition(text, child, start, spans, depth);
    else if (container.test(child.type) && depth < DEPTH_MAX) addMembers(text, child, spans, depth + 1);
  }
}

function addDefinition(text: string, node: Node, start: number, spans: TextSpan[], depth: number): void {
  const members: TextSpan[] = [];
  if (node.endIndex - start > WHOLE_MAX && depth < DEPTH_MAX) addInner(text, node, members, depth + 1);
  const [first] = members;
  if (!first) {
    spans.push({ start, end: node.endIndex });
    return;
  }
  spans.push({ start, end: first.start }, ...members);
  // The closing bracket goes with the last member; fields below it are a piece of their own.
  const last = spans.at(-1)!;
  if (/[\p{L}\p{N}]{4}/u.test(text.slice(last.end, node.endIndex))) {
    spans.push({ start: last.end, end: node.endIndex });
  } else {
    last.end = node.endIndex;
  }
}

/** The definitions inside one, however deep its body lies in it. */
function addInner(text: string, node: Node, spans: TextSpan[], depth: number): void {
  for (const child of node.namedChildren) {
    if (!child) continue;
    if (container.test(child.type)) addMembers(text, child, spans, depth);
    else if (
      (carrier.test(child.type) || isDefinition(child) || callable.test(child.type)) &&
      depth < DEPTH_MAX
    ) {
      addInner(text, child, spans, depth + 1);
    }
  }
}

function isDefinition(node: Node, depth = 0): boolean {
  if (definition.test(node.type)) return true;
  if (!carrier.test(node.type) || depth > 4) return false;
  return node.namedChildren.some(
    (child) => child !== null && (callable.test(child.type) || isDefinition(child, depth + 1)),
  );
}

/** On the next line, not below a blank one. */
function isAdjacent(text: string, end: number, start: number): boolean {
  return /^[^\S\n]*\n?[^\S\n]*$/.test(text.slice(end, start));
}

import { readXml } from '../office/read-xml.js';

/** What a paragraph's style says about its part in the document. */
export interface ParagraphStyle {
  /** 1 to 9, for headings. */
  headingLevel: number | null;
  /** The list its paragraphs belong to, and how deep. */
  list: { id: string; level: number } | null;
  isContents: boolean;
}

interface StyleDefinition {
  name: string;
  basedOn: string | null;
  outlineLevel: number | null;
  listId: string | null;
  listLevel: number;
}

const ANCESTORS_MAX = 20;

/** Paragraph styles by their id. Names are English in every language of Word; ids are not. */
export function readStyles(bytes: Uint8Array): Map<string, ParagraphStyle> {
  const definitions = new Map<string, StyleDefinition>();
  let open: StyleDefinition | null = null;
  readXml(bytes, {
    open(name, attributes) {
      const value = attributes['w:val'] ?? '';
      if (name === 'style') {
        open = { name: '', basedOn: null, outlineLevel: null, listId: null, listLevel: 0 };
        definitions.set(attributes['w:styleId'] ?? '', open);
      } else if (!open) return;
      else if (name === 'name') open.name = value;
      else if (name === 'basedOn') open.basedOn = value;
      else if (name === 'outlineLvl') open.outlineLevel = Number(value);
      else if (name === 'numId') open.listId = value;
      else if (name === 'ilvl') open.listLevel = Number(value) || 0;
    },
    close(name) {
      if (name === 'style') open = null;
    },
  });
  return new Map(Array.from(definitions.keys(), (id) => [id, styleOf(ancestors(definitions, id), id)]));
}

/** For a style that the document does not define. */
export function styleByName(name: string): ParagraphStyle {
  return { headingLevel: headingLevelOf(name), list: null, isContents: isContents(name) };
}

function ancestors(definitions: ReadonlyMap<string, StyleDefinition>, id: string): StyleDefinition[] {
  const chain: StyleDefinition[] = [];
  for (let next = definitions.get(id); next && chain.length < ANCESTORS_MAX;) {
    chain.push(next);
    next = next.basedOn === null ? undefined : definitions.get(next.basedOn);
  }
  return chain;
}

function styleOf(chain: readonly StyleDefinition[], id: string): ParagraphStyle {
  const outlineLevel = chain.find((style) => style.outlineLevel !== null)?.outlineLevel ?? null;
  const list = chain.find(({ listId }) => listId !== null);
  const named = chain.map(({ name }) => headingLevelOf(name)).find((level) => level !== null) ?? null;
  const outlined = outlineLevel !== null && outlineLevel < 9 ? outlineLevel + 1 : null;
  return {
    headingLevel: named ?? outlined,
    list: list?.listId ? { id: list.listId, level: list.listLevel } : null,
    isContents: isContents(chain[0]?.name ?? id),
  };
}

function headingLevelOf(name: string): number | null {
  if (/^title$/i.test(name)) return 1;
  const level = /^heading\s*([1-9])$/i.exec(name)?.[1];
  return level ? Number(level) : null;
}

/** Lines of a table of contents repeat the headings. */
function isContents(name: string): boolean {
  return /^(?:toc \d|table of figures)$/i.test(name);
}

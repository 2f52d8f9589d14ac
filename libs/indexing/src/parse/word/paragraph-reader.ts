import { type ParagraphStyle, styleByName } from './styles.js';

export interface WordParagraph {
  kind: 'paragraph';
  text: string;
  headingLevel: number | null;
  list: { id: string; level: number; isNumbered: boolean } | null;
}

/** What the other parts of the file say about paragraphs. */
export interface Reading {
  styles: ReadonlyMap<string, ParagraphStyle>;
  /** By list id, for each level whether it is numbered. */
  lists: ReadonlyMap<string, readonly boolean[]>;
  /** Targets of links by relationship id. */
  links: ReadonlyMap<string, string>;
}

interface OpenParagraph {
  text: string;
  style: ParagraphStyle | null;
  outlineLevel: number | null;
  listId: string | null;
  listLevel: number | null;
  link: { target: string; start: number } | null;
}

/** Elements whose text is no text of the document: what was deleted or moved away, and copies for older programs. */
const unread = new Set(['del', 'moveFrom', 'Fallback', 'instrText', 'delText']);
const characters: Record<string, string | undefined> = {
  tab: '\t',
  br: '\n',
  cr: '\n',
  noBreakHyphen: '-',
};

/** Puts paragraphs together from the events of WordprocessingML. Text boxes are paragraphs inside of others. */
export class ParagraphReader {
  private readonly stack: OpenParagraph[] = [];
  private unreadDepth = 0;
  private isText = false;
  private isRunProperties = false;
  private isHidden = false;
  private isTabStops = false;

  constructor(
    private readonly reading: Reading,
    private readonly onParagraph: (paragraph: WordParagraph) => void,
  ) {}

  /** Whether the element belonged to a paragraph. */
  open(name: string, attributes: Record<string, string>): boolean {
    if (unread.has(name)) this.unreadDepth += 1;
    if (this.unreadDepth > 0) return true;
    if (name === 'p') {
      this.stack.push({
        text: '',
        style: null,
        outlineLevel: null,
        listId: null,
        listLevel: null,
        link: null,
      });
      return true;
    }
    const paragraph = this.stack.at(-1);
    if (!paragraph) return false;
    const value = attributes['w:val'] ?? '';
    if (name === 'r') this.isHidden = false;
    else if (name === 't') this.isText = !this.isHidden;
    else if (name === 'rPr') this.isRunProperties = true;
    else if (name === 'tabs') this.isTabStops = true;
    else if (name === 'vanish' && this.isRunProperties) this.isHidden = !/^(?:0|false|off)$/.test(value);
    else if (name === 'pStyle') paragraph.style = this.reading.styles.get(value) ?? styleByName(value);
    else if (name === 'outlineLvl') paragraph.outlineLevel = Number(value);
    else if (name === 'numId') paragraph.listId = value;
    else if (name === 'ilvl') paragraph.listLevel = Number(value) || 0;
    else if (name === 'hyperlink') this.openLink(paragraph, attributes['r:id']);
    else if (name === 'docPr') paragraph.text += attributes['descr'] ?? '';
    else if (name === 'footnoteReference' || name === 'endnoteReference') {
      paragraph.text += `[${attributes['w:id'] ?? ''}]`;
    } else if (characters[name] && !this.isHidden && !this.isTabStops) paragraph.text += characters[name];
    else return false;
    return true;
  }

  text(text: string): void {
    const paragraph = this.stack.at(-1);
    if (paragraph && this.isText && this.unreadDepth === 0) paragraph.text += text;
  }

  /** Whether the element belonged to a paragraph. */
  close(name: string): boolean {
    if (this.unreadDepth > 0) {
      if (unread.has(name)) this.unreadDepth -= 1;
      return true;
    }
    const paragraph = this.stack.at(-1);
    if (!paragraph) return false;
    if (name === 't') this.isText = false;
    else if (name === 'rPr') this.isRunProperties = false;
    else if (name === 'tabs') this.isTabStops = false;
    else if (name === 'hyperlink') closeLink(paragraph);
    else if (name === 'p') this.end(paragraph);
    else return false;
    return true;
  }

  private end(paragraph: OpenParagraph): void {
    this.stack.pop();
    const { style, outlineLevel } = paragraph;
    if (style?.isContents) return;
    const outlined = outlineLevel !== null && outlineLevel < 9 ? outlineLevel + 1 : null;
    this.onParagraph({
      kind: 'paragraph',
      text: paragraph.text.trim(),
      headingLevel: outlined ?? style?.headingLevel ?? null,
      list: this.listOf(paragraph),
    });
  }

  private listOf({ style, listId, listLevel }: OpenParagraph): WordParagraph['list'] {
    const id = listId ?? style?.list?.id;
    if (!id || id === '0') return null; // 0 takes a paragraph out of the list of its style
    const level = Math.min(8, listLevel ?? style?.list?.level ?? 0);
    return { id, level, isNumbered: this.reading.lists.get(id)?.[level] ?? false };
  }

  private openLink(paragraph: OpenParagraph, id: string | undefined): void {
    const target = id ? this.reading.links.get(id) : undefined;
    if (target) paragraph.link = { target, start: paragraph.text.length };
  }
}

function closeLink(paragraph: OpenParagraph): void {
  const { link, text } = paragraph;
  paragraph.link = null;
  if (!link || text.length === link.start) return;
  paragraph.text = `${text.slice(0, link.start)}[${text.slice(link.start)}](${link.target})`;
}

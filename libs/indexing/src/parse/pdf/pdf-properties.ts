import { cleanText } from '../decode-text.js';
import { boundedMetadata } from '../metadata.js';

/** What pdf.js reads of a file's information dictionary. */
export interface PdfInfo {
  Title?: string;
  Author?: string;
  Subject?: string;
  Keywords?: string;
  Creator?: string;
  CreationDate?: string;
  ModDate?: string;
}

/** What programs fill in when nobody named the document: the name of its file. */
const fileTitle = /^(?:untitled.*|.{1,200}\.(?:docx?|odt|tex|dvi|qxd|indd|ps|eps|pdf|rtf|txt|pptx?|xlsx?))$/i;

export function pdfTitle({ Title: title }: PdfInfo): string | null {
  const words = cleanText(typeof title === 'string' ? title : '')
    .replaceAll(/\s+/g, ' ')
    .replace(/^Microsoft (?:Word|PowerPoint|Excel) - /, '')
    .trim();
  return words === '' || fileTitle.test(words) ? null : words;
}

export function pdfMetadata(info: PdfInfo): Record<string, unknown> {
  return boundedMetadata({
    author: info.Author,
    subject: info.Subject,
    keywords: info.Keywords,
    created: isoDate(info.CreationDate),
    modified: isoDate(info.ModDate),
    creator: info.Creator,
  });
}

/** `D:20240506070809+02'00'`, from the right on as much as there is. */
function isoDate(date: string | undefined): string | undefined {
  const [, year, month = '01', day = '01', hour = '00', minute = '00', second = '00', zone] =
    /^(?:D:)?(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(Z|[+-]\d\d'?\d\d)?/.exec(date ?? '') ?? [];
  if (!year) return undefined;
  const offset = zone && zone !== 'Z' ? `${zone.slice(0, 3)}:${zone.slice(-2)}` : 'Z';
  const parsed = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}${offset}`);
  return Number.isNaN(parsed.getTime()) ? undefined : parsed.toISOString();
}

import PostalMime, { type Address, type Email } from 'postal-mime';
import { RagError } from '#libs/errors';
import { cleanText } from '../decode-text.js';
import { DocumentComposer } from '../document-composer.js';
import { htmlBodyToMarkdown } from '../html.js';
import { parseMarkdown } from '../markdown.js';
import { boundedMetadata } from '../metadata.js';
import type { ParsedDocument } from '../parsed-document.js';
import { parsePlainText } from '../plain-text.js';

/**
 * The subject as heading, who wrote to whom, and the message: its plain text, or its HTML where it has none.
 * Attachments are named, not read.
 * @throws {RagError} document_damaged
 */
export async function parseEml(bytes: Uint8Array): Promise<ParsedDocument> {
  const email = await parse(bytes);
  const subject = cleanText(email.subject ?? '')
    .replaceAll(/\s+/g, ' ')
    .trim();
  const document = new DocumentComposer();
  document.addHeading(1, subject);
  document.add('paragraph', envelope(email));
  const text = cleanText(email.text ?? '');
  if (text.trim() !== '') document.addDocument(parsePlainText(text.trim()));
  else if (email.html) document.addDocument(parseMarkdown(htmlBodyToMarkdown(email.html)));
  const attachments = email.attachments.flatMap(({ filename }) => (filename ? [filename] : []));
  if (attachments.length > 0) document.add('paragraph', `Attachments: ${attachments.join(', ')}`);
  return document.compose({ title: subject || null, pageCount: null, metadata: metadataOf(email) });
}

async function parse(bytes: Uint8Array): Promise<Email> {
  try {
    return await PostalMime.parse(bytes);
  } catch (cause) {
    throw new RagError(
      'document_damaged',
      'The message can not be read as mail. Save it again as .eml in the mail program and index that file.',
      { cause },
    );
  }
}

function envelope(email: Email): string {
  const lines = [
    ['From', nameOf(email.from)],
    ['To', namesOf(email.to)],
    ['Cc', namesOf(email.cc)],
    ['Date', isoDate(email.date)],
  ];
  return lines.flatMap(([name, value]) => (value ? [`${name}: ${value}`] : [])).join('\n');
}

function metadataOf(email: Email): Record<string, unknown> {
  return boundedMetadata({
    from: nameOf(email.from),
    to: email.to?.map(nameOf),
    cc: email.cc?.map(nameOf),
    date: isoDate(email.date),
    subject: email.subject,
    message_id: email.messageId,
    in_reply_to: email.inReplyTo,
    attachments: email.attachments.map(({ filename, mimeType }) => ({ filename, media_type: mimeType })),
  });
}

function namesOf(addresses: readonly Address[] | undefined): string {
  return (addresses ?? []).map(nameOf).filter(Boolean).join(', ');
}

/** `Ada Lovelace <ada@example.org>`; of a group its name. */
function nameOf(address: Address | undefined): string {
  if (!address) return '';
  if (!address.address) return address.name;
  return address.name ? `${address.name} <${address.address}>` : address.address;
}

function isoDate(date: string | undefined): string {
  const time = new Date(date ?? '');
  return Number.isNaN(time.getTime()) ? (date ?? '') : time.toISOString();
}

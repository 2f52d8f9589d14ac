import MailComposer from 'nodemailer/lib/mail-composer';
import { describe, expect, it } from 'vitest';
import { outline } from '../../../../../test/support/outline.js';
import { detectMediaType } from '../detect-media-type.js';
import { parseDocument } from '../parse-document.js';

const parse = (bytes: Uint8Array) => parseDocument({ bytes, mediaType: 'message/rfc822' });
const headers = {
  from: 'Ada Lovelace <ada@pumps.test>',
  to: ['bo@pumps.test', 'Çe <ce@pumps.test>'],
  subject: 'Öl für die Pumpe 油',
  date: new Date('2024-05-06T07:08:09Z'),
  messageId: '<1@pumps.test>',
};

describe('EML', () => {
  it('has the subject as heading, the plain text of a message, and names its attachments', async () => {
    const bytes = await new MailComposer({
      ...headers,
      text: 'Hello Bo,\n\nchange the oil – today.\n',
      html: '<p>Hello <b>Bo</b></p>',
      attachments: [{ filename: 'plan.pdf', content: 'SECRET CONTENT', contentType: 'application/pdf' }],
    })
      .compile()
      .build();
    expect(await detectMediaType({ bytes })).toBe('message/rfc822');
    const document = await parse(bytes);
    expect(document.title).toBe(headers.subject);
    expect(document.metadata).toEqual({
      from: 'Ada Lovelace <ada@pumps.test>',
      to: ['bo@pumps.test', 'Çe <ce@pumps.test>'],
      date: '2024-05-06T07:08:09.000Z',
      subject: headers.subject,
      message_id: '<1@pumps.test>',
      attachments: [{ filename: 'plan.pdf', media_type: 'application/pdf' }],
    });
    expect(outline(document)).toEqual([
      `heading1: # ${headers.subject}`,
      'paragraph: From: Ada Lovelace <ada@pumps.test>\nTo: bo@pumps.test, Çe <ce@pumps.test>\nDate: 2024-05-06T07:08:09.000Z',
      'paragraph: Hello Bo,',
      'paragraph: change the oil – today.',
      'paragraph: Attachments: plan.pdf',
    ]);
  });

  it('takes the HTML of a message without plain text', async () => {
    const html =
      '<style>p{}</style><h2>Plan</h2><ul><li>oil</li></ul><p>See <a href="https://pumps.test">us</a></p>';
    const document = await parse(await new MailComposer({ ...headers, html }).compile().build());
    expect(outline(document).slice(2)).toEqual([
      'heading2: ## Plan',
      expect.stringMatching(/^list: -\s+oil$/),
      'paragraph: See [us](https://pumps.test)',
    ]);
  });

  it('reads other encodings of the body', async () => {
    const mail =
      'From: a@x.test\r\nTo: b@x.test\r\nSubject: =?GB2312?B?1tDOxA==?=\r\nContent-Type: text/plain; charset=gb2312\r\nContent-Transfer-Encoding: base64\r\n\r\n1tDOxA==\r\n';
    const document = await parse(Buffer.from(mail));
    expect(document.title).toBe('中文');
    expect(document.text).toMatch(/\n\n中文$/);
  });

  it.each([
    [
      'parts in parts without end',
      `From: a@x.test\r\nTo: b@x.test\r\n${Array.from({ length: 5_000 }, (_, n) => `Content-Type: multipart/mixed; boundary=b${n}\r\n\r\n--b${n}\r\n`).join('')}`,
    ],
    ['a header of 5 MB', `From: a@x.test\r\nTo: b@x.test\r\nX: ${'x'.repeat(5_000_000)}\r\n\r\ntext`],
    [
      'a boundary that never ends',
      'From: a@x.test\r\nTo: b@x.test\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext',
    ],
  ])('reads or refuses %s', async (_what, mail) => {
    const outcome = await parse(Buffer.from(mail)).then(
      ({ text }) => text,
      (error: { code?: string }) => error.code,
    );
    expect(outcome).toBeDefined();
  });
});

import iconv from 'iconv-lite';
import { describe, expect, it } from 'vitest';
import { decodeText, isText } from './decode-text.js';

const german = 'Größe und Prüfung: Der Zähler „alt“ wird für jede Übung geprüft.\nNächste Zeile – 5 €.\n';
const french = 'Le café est fermé à midi – « déjà vu », naïve, 5 €.\n';
const chinese = '数据库的备份每天凌晨两点进行。\n恢复时请先停止服务，然后再执行脚本。\n';
const japanese =
  'データベースのバックアップは毎日午前二時に行われます。\n復元する前にサービスを停止してください。\n';
const russian =
  'Резервное копирование базы данных выполняется каждый день.\nПеред восстановлением остановите службу.\n';

describe('decodeText', () => {
  it.each([
    ['utf-8', german],
    ['windows-1252', german],
    ['windows-1252', french],
    ['latin1', 'Señor Núñez comió piñas.\n'],
    ['latin1', 'café'],
    ['gb18030', chinese],
    ['gb18030', '中文'],
    ['gb18030', `${'plain ASCII text at first. '.repeat(5_000)}\n${chinese}`],
    ['shift_jis', japanese],
    ['euc-jp', japanese],
    ['big5', '資料庫的備份每天凌晨兩點進行。恢復時請先停止服務。'],
    ['euc-kr', '데이터베이스 백업은 매일 새벽 두 시에 수행됩니다.'],
    ['windows-1251', russian],
    ['koi8-r', russian],
    ['utf-16le', german],
    ['utf-16be', german],
    ['utf-16le', chinese],
    ['utf-16be', chinese],
  ])('reads %s without being told', (encoding, text) => {
    const bytes = iconv.encode(text, encoding);
    expect(decodeText(bytes)).toBe(text);
    expect(isText(bytes)).toBe(true);
  });

  it.each(['utf-8', 'utf-16le', 'utf-16be'])('drops the byte order mark of %s', (encoding) => {
    expect(decodeText(iconv.encode(chinese, encoding, { addBOM: true }))).toBe(chinese);
  });

  it('reads the escape sequences of ISO-2022-JP', () => {
    const bytes = Buffer.from('\u001B$B%G!<%?\u001B(B', 'latin1');
    expect(decodeText(bytes)).toBe('データ');
  });

  it('believes valid UTF-8 more than what a page says of itself', () => {
    const page = '<meta charset="gb2312"><p>Größe</p>';
    expect(decodeText(Buffer.from(page), { isHtml: true })).toBe(page);
    const western = iconv.encode('<meta charset="windows-1250"><p>Příliš žluťoučký kůň</p>', 'windows-1250');
    expect(decodeText(western, { isHtml: true })).toContain('Příliš žluťoučký kůň');
  });

  it('keeps UTF-8 with a few broken bytes and marks them', () => {
    const bytes = Buffer.concat([Buffer.from(chinese.repeat(3)), Buffer.from([0xe6, 0x95])]);
    expect(decodeText(bytes)).toBe(`${chinese.repeat(3)}\ufffd`);
  });

  it('keeps text as it is apart from what PostgreSQL can not store', () => {
    const odd = 'e\u0301 é \u202Eright to left\u202C \u{1F98A} \ufeff inside';
    expect(decodeText(Buffer.from(`\ufeff${odd}`))).toBe(odd);
    expect(decodeText(Buffer.from(`${'a line of text\n'.repeat(50)}a\0b\r\nc\rd`))).toMatch(/ab\nc\nd$/);
    expect(decodeText(Buffer.from('The cor\0morant dives.'))).toBe('The cormorant dives.');
    const lone = Buffer.from('a\ud800b', 'utf16le');
    expect(decodeText(Buffer.concat([Buffer.from([0xff, 0xfe]), lone]))).toBe('a\ufffdb');
  });

  it('refuses what is no text', () => {
    const noise = Buffer.from(Array.from({ length: 4_000 }, (_, n) => ((n * 7_919) % 251) + 1));
    expect(() => decodeText(noise)).toThrow(expect.objectContaining({ code: 'unsupported_encoding' }));
    expect(isText(Buffer.from([1, 2, 0, 4, 0, 0, 9]))).toBe(false);
  });
});

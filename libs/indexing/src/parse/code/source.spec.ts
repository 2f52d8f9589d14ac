import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectFolder } from '#libs/project-files';
import { outline } from '../../../../../test/support/outline.js';
import { parseDocument } from '../parse-document.js';
import type { SourceMediaType } from './languages.js';

const parse = (source: string, mediaType: SourceMediaType) =>
  parseDocument({ bytes: Buffer.from(source), mediaType });
const long = (line: string) =>
  Array.from({ length: 90 }, (_, n) => line.replaceAll('N', String(n))).join('\n');

describe('source code', () => {
  it.each<[SourceMediaType, string, string[]]>([
    [
      'text/x-typescript',
      "import a from 'a';\n\n/** Docs 🦊. */\nexport class A<T> {\n  m() {}\n}\n\n// lead\nexport const f = () => 2;\n\nconst x = 1;\ninterface I {}\ntype T = string;\nfunction g() {}\n",
      [
        "code: import a from 'a';",
        'definition: /** Docs 🦊. */\nexport class A<T> {\n  m() {}\n}',
        'definition: // lead\nexport const f = () => 2;',
        'code: const x = 1;',
        'definition: interface I {}',
        'definition: type T = string;',
        'definition: function g() {}',
      ],
    ],
    [
      'text/x-tsx',
      'export default function App() { return <p>x</p>; }',
      ['definition: export default function App() { return <p>x</p>; }'],
    ],
    [
      'text/javascript',
      'exports.f = function () {};\nconst a = 1;',
      ['definition: exports.f = function () {};', 'code: const a = 1;'],
    ],
    [
      'text/x-python',
      'import os\n\n# lead\n@decorated\ndef f():\n    """Docs."""\n\n\nclass A:\n    def g(self):\n        pass\n\nprint(f())\n',
      [
        'code: import os',
        'definition: # lead\n@decorated\ndef f():\n    """Docs."""',
        'definition: class A:\n    def g(self):\n        pass',
        'code: print(f())',
      ],
    ],
    [
      'text/x-go',
      'package p\n\n// F does.\nfunc F() {}\n\ntype T struct{}\n\nfunc (t T) M() {}\n',
      [
        'code: package p',
        'definition: // F does.\nfunc F() {}',
        'definition: type T struct{}',
        'definition: func (t T) M() {}',
      ],
    ],
    [
      'text/x-java',
      'package p;\n\n/** Docs. */\n@X\npublic class A { void m() {} }\n\nrecord R(int a) {}',
      [
        'code: package p;',
        'definition: /** Docs. */\n@X\npublic class A { void m() {} }',
        'definition: record R(int a) {}',
      ],
    ],
    [
      'text/x-c++',
      '#ifndef A_H\n#define A_H\n\n/* doc */\nint f(int a) { return a; }\n\nstruct S { int x; };\n\n#endif\n',
      [
        'code: #ifndef A_H\n#define A_H',
        'definition: /* doc */\nint f(int a) { return a; }',
        expect.stringContaining('definition: struct S { int x; }'),
        'code: #endif',
      ],
    ],
    [
      'text/x-csharp',
      'using X;\n\nnamespace N { class A { void M() {} } }',
      ['code: using X;', 'definition: namespace N { class A { void M() {} } }'],
    ],
    [
      'text/x-rust',
      'use x;\n\n/// Docs.\n#[derive(Debug)]\npub struct S;\n\nimpl S { fn f() {} }\n\nfn main() {}',
      [
        'code: use x;',
        'definition: /// Docs.\n#[derive(Debug)]\npub struct S;',
        'definition: impl S { fn f() {} }',
        'definition: fn main() {}',
      ],
    ],
    [
      'text/x-ruby',
      "require 'x'\n\n# doc\nclass A\n  def b\n  end\nend\n\ndef c; end",
      ["code: require 'x'", 'definition: # doc\nclass A\n  def b\n  end\nend', 'definition: def c; end'],
    ],
    [
      'text/x-php',
      '<?php\nfunction f() {}\n\nclass A { function g() {} }',
      ['code: <?php', 'definition: function f() {}', 'definition: class A { function g() {} }'],
    ],
    [
      'text/x-shellscript',
      'set -e\n\n# lead\nf() {\n  echo\n}\nf',
      ['code: set -e', 'definition: # lead\nf() {\n  echo\n}', 'code: f'],
    ],
    [
      'text/x-powershell',
      'function Get-Pump { 1 }\nGet-Pump',
      ['definition: function Get-Pump { 1 }', 'code: Get-Pump'],
    ],
    [
      'text/x-source',
      'package p\n\nfun a() {\n  x\n\n  y\n}\n\nfun b() {}\n',
      ['code: package p', 'code: fun a() {\n  x\n\n  y\n}', 'code: fun b() {}'],
    ],
  ])('%s has its definitions with the comments above them', async (mediaType, source, blocks) => {
    const document = await parse(source, mediaType);
    expect(document.text).toBe(source);
    expect(outline(document)).toEqual(blocks);
  });

  it('gives a long class as its head and its members, in any language', async () => {
    const body = (indent: string) => long(`${indent}value(N);`);
    for (const [mediaType, source] of [
      [
        'text/x-typescript',
        `export class A {\n  x = 1;\n\n  /** one */\n  m() {\n${body('    ')}\n  }\n\n  n() {\n${body('    ')}\n  }\n}\n`,
      ],
      [
        'text/x-python',
        `class A:\n    x = 1\n\n    # one\n    def m(self):\n${body('        ')}\n\n    def n(self):\n${body('        ')}\n`,
      ],
      [
        'text/x-java',
        `class A {\n  int x;\n\n  /** one */\n  void m() {\n${body('    ')}\n  }\n\n  void n() {\n${body('    ')}\n  }\n}\n`,
      ],
      [
        'text/x-c++',
        `namespace s {\nclass A {\n  int x;\n\n  // one\n  void m() {\n${body('    ')}\n  }\n\n  void n() {\n${body('    ')}\n  }\n};\n}\n`,
      ],
    ] as const) {
      const definitions = outline(await parse(source, mediaType)).filter((block) =>
        block.startsWith('definition'),
      );
      expect(
        definitions.some((block) => /definition: (?:#|\/\/|\/\*\*) one/.test(block)),
        mediaType,
      ).toBe(true);
      expect(definitions.at(-1), mediaType).toMatch(/^definition: (?:def |void )?n\(/);
      expect(definitions.at(-1), mediaType).toContain('value(89)');
    }
  });

  it('covers every word of the sources of this project, in order and without overlap', async () => {
    const folder = join(projectFolder, 'libs/indexing/src');
    const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.ts'));
    expect(names.length).toBeGreaterThan(50);
    for (const name of names) {
      const text = await readFile(join(folder, name), 'utf8');
      const { blocks } = await parse(text, 'text/x-typescript');
      let offset = 0;
      for (const { start, end } of [...blocks, { start: text.length, end: text.length }]) {
        expect(start, name).toBeGreaterThanOrEqual(offset);
        expect(text.slice(offset, start), name).not.toMatch(/[\p{L}\p{N}]/u);
        offset = end;
      }
    }
  });

  it('reads source that does not parse, is nested without end, or is one line of 5 MB', async () => {
    expect(
      (await parse('function ( { ] class\n\n}}} x y z', 'text/javascript')).blocks.length,
    ).toBeGreaterThan(0);
    expect((await parse(`x = ${'('.repeat(50_000)}`, 'text/x-python')).blocks.length).toBeGreaterThan(0);
    expect((await parse(`${'{'.repeat(50_000)} f`, 'text/x-c++')).blocks.length).toBeGreaterThan(0);
    const { blocks } = await parse(`var a="${'x'.repeat(5_000_000)}"`, 'text/javascript');
    expect(blocks).toHaveLength(1);
  });
});

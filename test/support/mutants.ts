import { strToU8, unzipSync, zipSync } from 'fflate';
import type { Random } from '../faults/random.js';

export interface TestFile {
  name: string;
  bytes: Uint8Array;
}

const extensions = '.pdf .docx .pptx .xlsx .epub .eml .html .csv .json .jsonl .md .txt .py .zip .bin'.split(
  ' ',
);

type Mutation = (file: TestFile, other: TestFile, random: Random) => TestFile;

const of = (change: (bytes: Buffer, other: Buffer, random: Random) => Uint8Array): Mutation => {
  return (file, other, random) => ({
    ...file,
    bytes: change(Buffer.from(file.bytes), Buffer.from(other.bytes), random),
  });
};

/** What happens to files on their way, and what somebody does to them on purpose. */
const mutations: Record<string, Mutation> = {
  'cut off': of((bytes, _other, random) => bytes.subarray(0, random.integer(bytes.length))),
  'without its beginning': of((bytes, _other, random) => bytes.subarray(random.integer(bytes.length))),
  'some bytes changed': of((bytes, _other, random) => {
    for (let change = random.integer(40); change >= 0; change -= 1) {
      bytes[random.integer(bytes.length)] = random.integer(256);
    }
    return bytes;
  }),
  'one bit changed': of((bytes, _other, random) => {
    const offset = random.integer(bytes.length);
    bytes[offset] = bytes[offset]! ^ (1 << random.integer(8));
    return bytes;
  }),
  'numbers changed': of((bytes, _other, random) => {
    const changed = bytes
      .toString('latin1')
      .replaceAll(/\d+/g, (digits) =>
        random.next() < 0.03
          ? random.pick(['0', '-1', '4294967296', '99999999999999999999', String(random.integer(30))])
          : digits,
      );
    return Buffer.from(changed, 'latin1');
  }),
  'a part zeroed': of((bytes, _other, random) => {
    const [start, end] = range(bytes, random);
    return bytes.fill(0, start, end);
  }),
  'a part twice': of((bytes, _other, random) => {
    const [start, end] = range(bytes, random);
    return Buffer.concat([bytes.subarray(0, end), bytes.subarray(start)]);
  }),
  'a part missing': of((bytes, _other, random) => {
    const [start, end] = range(bytes, random);
    return Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);
  }),
  'a part of another file': of((bytes, other, random) => {
    const at = random.integer(bytes.length);
    const [start, end] = range(other, random);
    return Buffer.concat([bytes.subarray(0, at), other.subarray(start, end), bytes.subarray(at)]);
  }),
  'one half of this, the other of another file': of((bytes, other) =>
    Buffer.concat([bytes.subarray(0, bytes.length / 2), other.subarray(other.length / 2)]),
  ),
  'line ends changed, as by a transfer in text mode': of((bytes) =>
    Buffer.from(bytes.toString('latin1').replaceAll('\n', '\r\n'), 'latin1'),
  ),
  'read as text and written as UTF-8': of((bytes) => Buffer.from(bytes.toString('utf8'))),
  'another name': (file, _other, random) => ({ ...file, name: `renamed${random.pick(extensions)}` }),
  'two members changed places': inContainer((members, random) => {
    const [one, another] = [random.pick(Object.keys(members)), random.pick(Object.keys(members))];
    return { ...members, [one]: members[another]!, [another]: members[one]! };
  }),
  'a member missing': inContainer((members, random) => {
    const { [random.pick(Object.keys(members))]: _missing, ...rest } = members;
    return rest;
  }),
  'a member changed': inContainer((members, random) => {
    const path = random.pick(Object.keys(members));
    const kinds = ['cut off', 'some bytes changed', 'numbers changed', 'a part twice', 'a part missing'];
    const member = { name: path, bytes: members[path]! };
    if (member.bytes.length === 0) return members;
    return { ...members, [path]: mutations[random.pick(kinds)]!(member, member, random).bytes };
  }),
  'elements of a member changed': inContainer((members, random) => {
    const path = random.pick(Object.keys(members));
    const text = Buffer.from(members[path]!).toString('utf8');
    const tags = [...text.matchAll(/<\/?[\w:]+/g)].map(([tag]) => tag);
    if (tags.length === 0) return members;
    const [from, to] = [random.pick(tags), random.pick([...tags, '<', '<!--', '<![CDATA[', '&amp;'])];
    return { ...members, [path]: strToU8(text.replaceAll(from, to)) };
  }),
};

export const mutationNames = Object.keys(mutations);

/** A file as it might come in, the same for the same random numbers. */
export function mutantOf(
  file: TestFile,
  others: readonly TestFile[],
  random: Random,
): TestFile & { mutation: string } {
  const mutation = random.pick(mutationNames);
  return { ...mutations[mutation]!(file, random.pick(others), random), mutation };
}

/** Of a file that is packed as a ZIP; another one is given another name. */
function inContainer(
  change: (members: Record<string, Uint8Array>, random: Random) => Record<string, Uint8Array>,
): Mutation {
  return (file, other, random) => {
    if (file.bytes[0] !== 0x50 || file.bytes[1] !== 0x4b)
      return mutations['another name']!(file, other, random);
    return { ...file, bytes: zipSync(change(unzipSync(file.bytes), random)) };
  };
}

function range(bytes: Uint8Array, random: Random): [start: number, end: number] {
  const start = random.integer(bytes.length);
  return [start, Math.min(bytes.length, start + 1 + random.integer(4_000))];
}

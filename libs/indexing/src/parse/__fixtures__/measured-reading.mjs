/** Reads a file in a process of its own, and says how it ended and what that took. */
import { readFileSync } from 'node:fs';

const [parseIndex, how, file] = process.argv.slice(2);
const { openArchive, parseDocument } = await import(parseIndex);
const limits = { unpackedBytesMax: 400 * 1024 * 1024, memberBytesMax: 50 * 1024 * 1024 };

const readings = {
  async archive(bytes) {
    const skipped = new Set();
    for await (const member of openArchive(bytes, limits)) skipped.add(member.skipped ?? 'read');
    return [...skipped].join();
  },
  async pdf(bytes) {
    return (await parseDocument({ bytes, mediaType: 'application/pdf' })).text;
  },
};

const bytes = readFileSync(file);
const rssBefore = process.memoryUsage.rss();
const cpuBefore = process.cpuUsage();
const outcome = await readings[how](bytes).catch((error) => error.code ?? String(error));
const { user, system } = process.cpuUsage(cpuBefore);
const addedMb = (process.resourceUsage().maxRSS * 1024 - rssBefore) / 1024 / 1024;
console.log(JSON.stringify({ outcome, cpuMs: (user + system) / 1_000, addedMb }));
process.exit(); // pdf.js may wait for ever for what is not there

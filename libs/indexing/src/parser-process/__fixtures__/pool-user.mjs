/** Reads a document with a pool, then closes the pool or just comes to its end. */
const [poolFile, entry, how] = process.argv.slice(2);
const { ParsePool } = await import(poolFile);

async function* source() {
  yield Buffer.from('text');
}

const task = { source: source(), byteCount: 4, mediaType: 'text/plain', filename: 'well' };
const pool = new ParsePool({ entry: new URL(entry) });
for await (const part of pool.prepare(task, () => undefined, new AbortController().signal)) {
  if (part.kind === 'end') console.log('read');
}
if (how === 'closes') await pool.close();
console.log(how);

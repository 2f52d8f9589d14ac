/** A parser process that does what the document's name says. */
const chunks = (text, start) => ({ kind: 'part', part: { kind: 'chunks', text, start, chunks: [] } });
const end = { kind: 'part', part: { kind: 'end', pageCount: null, chunkCount: 0, textLength: 0 } };
const reader = { credit: 0, given: () => undefined };

const behaviours = {
  loop() {
    for (;;);
  },
  // Nothing keeps the event loop busy, and no processor time is used.
  sleep() {},
  heap() {
    const kept = [];
    for (;;) kept.push(Array.from({ length: 100_000 }, (_, index) => ({ index })));
  },
  buffers() {
    const kept = [];
    for (;;) kept.push(Buffer.alloc(4 * 1024 * 1024, 1));
  },
  exit() {
    process.exit(3);
  },
  abort() {
    process.abort();
  },
  throw() {
    throw new TypeError('unexpected token in table of contents');
  },
  reject() {
    process.send({ kind: 'crash', stack: 'TypeError: unexpected token' });
  },
  refuse() {
    const failure = { code: 'document_damaged', message: 'It is damaged.', retryable: false };
    process.send({ kind: 'failure', ...failure, details: { line: 7 } });
  },
  environment() {
    process.send(chunks(JSON.stringify({ environment: process.env, execArgv: process.execArgv }), 0));
    process.send(end);
  },
  /** Parts without end, each only when it may be sent, and how many there were. */
  async flood() {
    for (let count = 0; ; count += 1) {
      while (reader.credit === 0) {
        await new Promise((resolve) => {
          reader.given = resolve;
        });
      }
      reader.credit -= 1;
      process.send(chunks(String(count), count));
      process.send({ kind: 'progress', done: count + 1, total: 1_000_000 });
    }
  },
  well() {
    process.send(chunks(String(process.pid), 0));
    process.send(end);
  },
};

process.on('message', (message) => {
  if (message.kind === 'take') {
    reader.credit += 1;
    reader.given();
  }
  if (message.kind === 'task') {
    reader.credit = message.credit;
    void behaviours[message.task.filename]();
  }
});
process.on('disconnect', () => process.exit());
process.send({ kind: 'ready' });

import type { ResultsFile } from '../store/results-file.js';

export const indexingResults: ResultsFile = {
  name: 'INDEXING.md',
  method: `# Indexing in numbers

Measured with \`npm run bench:indexing\` on PostgreSQL 18 through pgBouncer (transaction mode), Redis and PGlite, as
\`npm run stack:up\` starts the servers: two shared processor cores for everything, no fsync. The machine had other work at the
same time; each section says the load. **Ratios count**: both sides ran in turn in the same run. Processor time is the kernel's.

Documents are Markdown of about 1,000 or 20,000 tokens: sentences of this project's manuals in random order under headings, no two
alike. Settings are the defaults: chunks of up to 400 tokens with 60 of overlap, two documents at a time, two parsers. One process
accepts (\`IndexingService.submit\`, 8 at a time, a transaction each), another is the worker with its parser processes. Time runs from the
first submit until the last document is ready. Tokens are those of the documents, counted once, overlaps not.
`,
};

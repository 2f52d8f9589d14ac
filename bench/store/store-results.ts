import type { ResultsFile } from './results-file.js';

export const storeResults: ResultsFile = {
  name: 'RESULTS.md',
  method: `# The store in numbers

Measured with \`npm run bench:store\` on PostgreSQL 18 with pgvector, pg_textsearch and pgBouncer (transaction mode) as
\`npm run stack:up\` starts them: two shared processor cores for everything, also for the clients, shared buffers 512 MB,
no fsync. Milliseconds say little about another machine; **the ratios count**. Both sides of a ratio run in turn
(A, B, B, A, ...) in one process, and the median of the rounds' ratios is given. Processor time is that of node plus the
database's backends, from the kernel's scheduler; pgBouncer's is counted apart.

The corpus is synthetic and the same in every run: unit vectors of 512 dimensions in clusters (48 latent dimensions
lifted to 512, plus noise), chunks of 60 words from a Zipf vocabulary of 20,000, ten chunks a document. 200 questions are
held out: a vector near a chunk and 3 to 8 words of it. Latencies are of one client if not said otherwise.
`,
};

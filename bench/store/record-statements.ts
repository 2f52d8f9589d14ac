import { ChunkRepository, CollectionRepository } from '#libs/corpus';
import { currentTenant, Database, type SqlExecutor, type SqlQuery, type Transaction } from '#libs/database';
import { type RetrievalMode, Retriever } from '#libs/retrieval';
import { STATEMENT_TIMEOUT_MS } from './bench-database.js';
import { COLLECTION, type Store } from './store.js';

export interface RecordedStatement {
  query: { text: string; values: unknown[]; name?: string };
  settings: Record<string, string>;
}

/**
 * The statements of one retrieval a question, with all settings that production sends with them.
 * @param lookup also the statement by which a request finds its collection
 */
export async function recordStatements(
  store: Store,
  mode: RetrievalMode,
  { lookup = false } = {},
): Promise<RecordedStatement[][]> {
  const recorder = new RecordingDatabase(store.direct.database);
  const retriever = new Retriever(new ChunkRepository(recorder, 'bm25'), 'bm25');
  const collections = new CollectionRepository(recorder, 'bm25');
  await retriever.retrieve(store.retrieval(0, mode)); // asks for the scope's size, once
  const recorded: RecordedStatement[][] = [];
  for (let index = 0; index < store.questions.length; index += 1) {
    recorder.seen.length = 0;
    if (lookup) await collections.getWithSpace(COLLECTION);
    await retriever.retrieve(store.retrieval(index, mode));
    recorded.push(recorder.seen.map(asSent));
  }
  return recorded;
}

function asSent({ text, values = [], name, settings }: SqlQuery): RecordedStatement {
  return {
    query: { text, values: [...values], ...(name && { name }) },
    settings: {
      'ragstone.tenant_id': currentTenant(),
      statement_timeout: String(STATEMENT_TIMEOUT_MS),
      idle_in_transaction_session_timeout: String(STATEMENT_TIMEOUT_MS),
      ...settings,
    },
  };
}

class RecordingDatabase extends Database {
  readonly engine = 'postgres';
  readonly seen: SqlQuery[] = [];

  constructor(private readonly database: Database) {
    super();
  }

  get poolUse() {
    return this.database.poolUse;
  }

  get withoutTenant(): SqlExecutor {
    return this.database.withoutTenant;
  }

  query<Row extends object>(query: SqlQuery): Promise<Row[]> {
    this.seen.push(query);
    return this.database.query<Row>(query);
  }

  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.database.transaction(work);
  }

  ownerTransaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.database.ownerTransaction(work);
  }

  maintain<T>(work: (session: SqlExecutor) => Promise<T>): Promise<T> {
    return this.database.maintain(work);
  }

  switchRole(role: string | null): void {
    this.database.switchRole(role);
  }

  close(): Promise<void> {
    return this.database.close();
  }
}

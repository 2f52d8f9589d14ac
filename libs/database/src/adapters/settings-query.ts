import { escapeLiteral, Query as PgQuery, type QueryConfig, type QueryResult } from 'pg';

/** The parts of node-postgres' connection that a query of one's own uses, as pg-cursor does. */
interface Connection {
  parsedStatements: Record<string, string>;
  submittedNamedStatements: Record<string, string>;
  parse(message: { name: string; text: string }): void;
  bind(message: { statement: string; values: unknown[] }): void;
  execute(message: { portal: string }): void;
  query(text: string): void;
}

interface QueryBase {
  text: string;
  name?: string;
  callback: (error: Error | null, result: QueryResult | QueryResult[]) => void;
  requiresPreparation(): boolean;
  submit(connection: Connection): Error | null;
  prepare(connection: Connection): void;
  handleRowDescription(message: unknown): void;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, connection: Connection): void;
}

const Query = PgQuery as unknown as new (config: QueryConfig) => QueryBase;

const STATEMENT = 'ragstone_settings';
const TEXT =
  'select set_config(name, value, true) from unnest($1::text[], $2::text[]) as setting (name, value)';

export type Settings = Readonly<Record<string, string>>;

/**
 * A statement with settings for its own transaction, in one round trip and one implicit transaction: the settings go
 * ahead as a prepared statement, and only then comes Sync. So nothing outlives the statement, and a transaction pooler
 * may stand between. (`begin; set; select; commit` would be three more replies to wait for.)
 */
export class SettingsQuery extends Query {
  private settingsAnswered = false;
  private isFirstUse = false;

  constructor(
    config: QueryConfig,
    private readonly settings: Settings,
  ) {
    super(config);
  }

  /**
   * After an error: whether the server has prepared what this query wanted prepared is not known. node-postgres counts
   * any success of a Parse for the query's own name.
   */
  get leavesDoubt(): boolean {
    return !this.settingsAnswered || this.isFirstUse;
  }

  override submit(connection: Connection): Error | null {
    if (!this.requiresPreparation()) this.text = `${settingsSql(this.settings)};${this.text}`;
    return super.submit(connection);
  }

  override prepare(connection: Connection): void {
    if (!connection.submittedNamedStatements[STATEMENT] && !connection.parsedStatements[STATEMENT]) {
      connection.parse({ name: STATEMENT, text: TEXT });
      connection.parsedStatements[STATEMENT] = TEXT;
    }
    this.isFirstUse = Boolean(this.name) && !connection.parsedStatements[this.name!];
    const names = Object.keys(this.settings);
    const values = Object.values(this.settings);
    connection.bind({ statement: STATEMENT, values: [arrayLiteral(names), arrayLiteral(values)] });
    connection.execute({ portal: '' });
    super.prepare(connection);
  }

  override handleRowDescription(message: unknown): void {
    if (this.settingsAnswered) super.handleRowDescription(message);
  }

  override handleDataRow(message: unknown): void {
    if (this.settingsAnswered) super.handleDataRow(message);
  }

  override handleCommandComplete(message: unknown, connection: Connection): void {
    if (this.settingsAnswered) super.handleCommandComplete(message, connection);
    else this.settingsAnswered = true;
  }
}

/** The same settings as plain SQL, for the start of a transaction and for texts of several statements. */
export function settingsSql(settings: Settings): string {
  const calls = Object.entries(settings).map(
    ([name, value]) => `set_config(${escapeLiteral(name)}, ${escapeLiteral(value)}, true)`,
  );
  return `select ${calls.join(', ')}`;
}

function arrayLiteral(values: string[]): string {
  return `{${values.map((value) => `"${value.replace(/["\\]/g, String.raw`\$&`)}"`).join(',')}}`;
}

import type { Database } from '#libs/database';
import { RagError } from '#libs/errors';

export interface Conversation {
  id: string;
  /** The one who may read it; null: everybody of the tenant. */
  userId: string | null;
  title: string;
  summary: string;
  /** Messages that the summary stands for. */
  summarisedCount: number;
  messageCount: number;
  createdAt: Date;
  updatedAt: Date;
}

export interface NewMessage {
  role: 'user' | 'assistant';
  content: string;
  requestId: string;
  /** Of an answer. */
  details?: object;
}

export interface Message extends Required<NewMessage> {
  ordinal: number;
  createdAt: Date;
}

interface ConversationRow {
  id: string;
  user_id: string | null;
  title: string;
  summary: string;
  summarised_count: number;
  message_count: number;
  created_at: Date;
  updated_at: Date;
}

interface MessageRow {
  ordinal: number;
  role: 'user' | 'assistant';
  content: string;
  request_id: string;
  details: object;
  created_at: Date;
}

const columns = 'id, user_id, title, summary, summarised_count, message_count, created_at, updated_at';

/** A user sees conversations of their own and those that are nobody's; without a user all of the tenant's are seen. */
const isVisible = '($2::text is null or user_id is null or user_id = $2::text)';

export class ConversationRepository {
  constructor(private readonly database: Database) {}

  async create({ userId, title }: { userId: string | null; title: string }): Promise<Conversation> {
    const [row] = await this.database.query<ConversationRow>({
      text: `insert into conversations (user_id, title) values ($1::text, $2::text) returning ${columns}`,
      values: [userId, title],
    });
    return toConversation(row!);
  }

  /** @throws {RagError} conversation_not_found, also for one of another user */
  async get(id: string, userId: string | null): Promise<Conversation> {
    const [row] = await this.database.query<ConversationRow>({
      name: 'conversation',
      text: `select ${columns} from conversations where id = $1::uuid and ${isVisible}`,
      values: [id, userId],
    });
    if (!row) throw notFound(id);
    return toConversation(row);
  }

  /** Newest first. @param before an id of the page before */
  async list(page: { userId: string | null; limit: number; before: string | null }): Promise<Conversation[]> {
    const rows = await this.database.query<ConversationRow>({
      text: `
        select ${columns} from conversations
        where ($1::uuid is null or id < $1::uuid) and ${isVisible}
        order by id desc limit $3::integer`,
      values: [page.before, page.userId, page.limit],
    });
    return rows.map(toConversation);
  }

  /** In order, from an ordinal on. */
  async listMessages(id: string, page: { from: number; limit: number }): Promise<Message[]> {
    const rows = await this.database.query<MessageRow>({
      name: 'conversation_messages',
      text: `
        select ordinal, role, content, request_id, details, created_at from messages
        where conversation_id = $1::uuid and ordinal >= $2::integer
        order by ordinal limit $3::integer`,
      values: [id, page.from, page.limit],
    });
    return rows.map(({ request_id, created_at, ...row }) => ({
      ...row,
      requestId: request_id,
      createdAt: created_at,
    }));
  }

  /** All of them, or none. @throws {RagError} conversation_not_found when it was deleted meanwhile */
  async append(id: string, messages: readonly NewMessage[]): Promise<void> {
    const [row] = await this.database.query({
      text: `
        with conversation as (
          update conversations set message_count = message_count + cardinality($2::text[]), updated_at = now()
          where id = $1::uuid
          returning id, message_count - cardinality($2::text[]) as first
        )
        insert into messages (conversation_id, ordinal, role, content, request_id, details)
        select conversation.id, conversation.first + m.number - 1, m.role, m.content, m.request_id, m.details
        from conversation, unnest($2::text[], $3::text[], $4::text[], $5::jsonb[]) with ordinality
          as m (role, content, request_id, details, number)
        returning ordinal`,
      values: [
        id,
        messages.map(({ role }) => role),
        messages.map(({ content }) => content),
        messages.map(({ requestId }) => requestId),
        messages.map(({ details = {} }) => JSON.stringify(details)),
      ],
    });
    if (!row) throw notFound(id);
  }

  /** Unless another request has summarised as much meanwhile. */
  async setSummary(id: string, summary: string, summarisedCount: number): Promise<void> {
    await this.database.query({
      text: `
        update conversations set summary = $2::text, summarised_count = $3::integer
        where id = $1::uuid and summarised_count < $3::integer`,
      values: [id, summary, summarisedCount],
    });
  }

  /** With its messages. @throws {RagError} conversation_not_found */
  async delete(id: string, userId: string | null): Promise<void> {
    const [row] = await this.database.query({
      text: `delete from conversations where id = $1::uuid and ${isVisible} returning id`,
      values: [id, userId],
    });
    if (!row) throw notFound(id);
  }
}

function toConversation(row: ConversationRow): Conversation {
  return {
    id: row.id,
    userId: row.user_id,
    title: row.title,
    summary: row.summary,
    summarisedCount: row.summarised_count,
    messageCount: row.message_count,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

function notFound(id: string): RagError {
  return new RagError(
    'conversation_not_found',
    `There is no conversation ${id}. POST /conversations makes one.`,
  );
}

import { tool } from '@langchain/core/tools';
import { z } from 'zod';
import type { ChunkRepository } from '#libs/corpus';
import { isRagError } from '#libs/errors';
import { type QueryService, withinBudget } from '#libs/query';
import { toSource } from '#libs/retrieval';
import type { AgentQuestion, AgentStep } from './agent-answer.js';
import type { FoundSources } from './found-sources.js';

const CHUNKS_READ_MAX = 50;
const QUERY_CHARACTERS_MAX = 1_000;

export interface ToolContext {
  question: AgentQuestion;
  queries: QueryService;
  chunks: ChunkRepository;
  found: FoundSources;
  /** Of one result. */
  tokensMax: number;
  signal: AbortSignal;
  onStep: (step: AgentStep) => void;
}

const searchSchema = z.object({
  query: z
    .string()
    .min(1)
    .max(QUERY_CHARACTERS_MAX)
    .describe('Words or a question, in words that stand for themselves'),
});

const documentSchema = z.object({
  document_id: z.uuid().describe('Of a source that a search has found'),
  from_chunk: z.number().int().min(0).default(0).describe('Where to read on; 0 is the beginning'),
});

/** Both stay within the collection and the filters of the question, whatever a document talks the model into. */
export function agentTools(context: ToolContext) {
  const { question, queries, chunks, found, tokensMax, signal } = context;

  const search = tool(
    (given: z.infer<typeof searchSchema>) =>
      step(context, 'search_knowledge', given, async () => {
        const { collection, topK, mode, filter } = question;
        const { sources } = await queries.findSources({
          question: given.query,
          collection,
          topK,
          mode,
          filter,
          signal,
        });
        const numbers = found.add(withinBudget(sources, tokensMax));
        return {
          numbers,
          text: numbers.length === 0 ? 'Nothing was found. Try other words.' : found.show(numbers),
        };
      }),
    {
      name: 'search_knowledge',
      description: 'Searches the knowledge base and returns numbered sources.',
      schema: searchSchema,
    },
  );

  const readOn = tool(
    (given: z.infer<typeof documentSchema>) =>
      step(context, 'get_document', given, async () => {
        if (!found.has(given.document_id))
          throw new ToolRefusal('Only documents that a search has found can be read.');
        const page = { limit: CHUNKS_READ_MAX, firstOrdinal: given.from_chunk };
        const read = await chunks.listOfDocument(given.document_id, page);
        if (read.length === 0) throw new ToolRefusal('The document has no more chunks.');
        const fitting = read.filter(fits(tokensMax));
        const whole = toSource(
          fitting.map((chunk) => ({ ...chunk, score: 0, lexicalRank: null, vectorRank: null })),
        );
        const isMore = fitting.length < read.length || read.length === CHUNKS_READ_MAX;
        const next = isMore ? `\n\nThe document goes on from_chunk ${fitting.at(-1)!.ordinal + 1}.` : '';
        const numbers = found.add([whole]);
        return { numbers, text: found.show(numbers) + next };
      }),
    {
      name: 'get_document',
      description: 'Reads a document, from a chunk on, as one numbered source.',
      schema: documentSchema,
    },
  );

  return [search, readOn];
}

/** Of a list, its beginning: at least the first, and no more than `tokensMax`. */
function fits(tokensMax: number): (chunk: { tokenCount: number }) => boolean {
  let tokens = 0;
  return ({ tokenCount }) => {
    const isFirst = tokens === 0;
    tokens += tokenCount;
    return isFirst || tokens <= tokensMax;
  };
}

/** Told to the model, which may try something else. */
class ToolRefusal extends Error {}

async function step(
  { onStep, signal }: ToolContext,
  name: string,
  given: Record<string, unknown>,
  work: () => Promise<{ numbers: number[]; text: string }>,
): Promise<string> {
  signal.throwIfAborted();
  const start = performance.now();
  const tell = (sourceNumbers: number[], error: string | null) =>
    onStep({ tool: name, arguments: given, sourceNumbers, error, latencyMs: performance.now() - start });
  try {
    const { numbers, text } = await work();
    tell(numbers, null);
    return text;
  } catch (error) {
    const isTold = error instanceof ToolRefusal || (isRagError(error) && error.code === 'document_not_found');
    tell([], (error as Error).message);
    if (!isTold) throw error;
    return error.message;
  }
}

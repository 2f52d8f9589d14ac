import type { CallContext, ModelRouter } from '#libs/model-routing';
import { noSpending, plusSpending, type Spending } from '../answer.js';
import { sideCall } from '../side-call.js';

export interface UnderstandingSettings {
  /** So many other wordings of a question are searched for, too. */
  multiQuery: number;
  /** A made-up answer is embedded in the question's place: Gao et al. 2022, "Precise Zero-Shot Dense Retrieval" (HyDE). */
  hyde: boolean;
  /** Questions that hold several are searched for one by one: split by their question marks, or by a model. */
  decompose: 'off' | 'rules' | 'model';
}

export interface SearchTexts {
  /** The question first. */
  texts: string[];
  /** What is embedded in place of the question; null: the question. */
  passage: string | null;
  spent: Spending;
}

const PARTS_MAX = 4;
const TEXT_CHARACTERS_MAX = 1_000;
const LINES_TOKENS_MAX = 300;
const PASSAGE_TOKENS_MAX = 250;

const instructions = {
  multiQuery: (count: number) =>
    `Write ${count} other wordings of the question for a search engine: other words, the same meaning, the same language. One a line, nothing else.`,
  decompose: `If answering the question takes several facts that stand in different documents, write the question for each of them, at most ${PARTS_MAX}, one a line. If it takes one, repeat the question. Nothing else.`,
  hyde: 'Write a passage of at most 100 words, as it could stand in a document, that answers the question. Same language. The passage alone.',
};

/** What is searched for besides the question itself. Without a model that answers: the question alone. */
export async function searchTexts(
  router: ModelRouter,
  question: string,
  { multiQuery, hyde, decompose }: UnderstandingSettings,
  call: { chain: string; context: CallContext; signal?: AbortSignal | undefined },
): Promise<SearchTexts> {
  const ask = async (isWanted: boolean, system: string, outputTokensMax: number) =>
    isWanted
      ? sideCall(router, {
          ...call,
          context: { ...call.context, purpose: 'understand' },
          messages: [
            { role: 'system', content: system },
            { role: 'user', content: question },
          ],
          outputTokensMax,
        })
      : { text: null, spent: noSpending };
  const [wordings, parts, passage] = await Promise.all([
    ask(multiQuery > 0, instructions.multiQuery(multiQuery), LINES_TOKENS_MAX),
    ask(decompose === 'model', instructions.decompose, LINES_TOKENS_MAX),
    ask(hyde, instructions.hyde, PASSAGE_TOKENS_MAX),
  ]);
  const texts = [
    question,
    ...linesOf(wordings.text, multiQuery),
    ...(decompose === 'rules' ? questionsIn(question) : linesOf(parts.text, PARTS_MAX)),
  ];
  return {
    texts: [...new Set(texts)],
    passage: passage.text,
    spent: [wordings, parts, passage].map(({ spent }) => spent).reduce(plusSpending),
  };
}

/** Of a list that a model wrote, without bullets and numbers. */
function linesOf(text: string | null, max: number): string[] {
  return (text ?? '')
    .split('\n')
    .map((line) => line.replace(/^\s*(?:[-*•]|\d{1,2}[.)])?\s*/, '').trim())
    .filter((line) => line !== '' && line.length <= TEXT_CHARACTERS_MAX)
    .slice(0, max);
}

/** The questions of a text that holds several, by their question marks. */
export function questionsIn(text: string): string[] {
  const questions = text.match(/[^?？]{8,}[?？]+/gu)?.map((question) => question.trim()) ?? [];
  return questions.length > 1 ? questions.slice(0, PARTS_MAX) : [];
}

import { isMostlyUnspaced } from '#libs/text-analysis';

export type Complexity = 'simple' | 'medium' | 'complex';

export interface ComplexityInput {
  question: string;
  /** Messages of the conversation before it. */
  conversationDepth?: number;
  /** Sources that hold much of the question; null: nothing was retrieved. */
  strongSources?: number | null;
}

export interface Assessment {
  complexity: Complexity;
  score: number;
  /** What added to the score, the largest first: for `explain`. */
  reasons: { signal: string; points: number }[];
}

interface Signal {
  name: string;
  points: number;
  pattern: RegExp;
}

/** One pattern a signal; each counts once. Points and thresholds: `npm run eval:routing`. */
const signals: Signal[] = [
  {
    name: 'comparison',
    points: 3,
    pattern:
      /\b(compar(e|es|ed|ing|ison)|versus|vs\.?|differences? between|differ(s|ed)? from|similarit(y|ies)|contrast(s|ing)?|pros and cons|trade-?offs?|advantages and disadvantages)\b|对比|比较|区别|差异|异同|相比|优缺点|利弊|优劣/i,
  },
  {
    name: 'analysis',
    points: 3,
    pattern:
      /\b(analy[sz]e|analysis of|evaluate|assess|critically|discuss|implications?|in (depth|detail)|detailed|step[- ]by[- ]step|summari[sz]e|comprehensive|recommend(ation)?s?|strateg(y|ies) for|root causes?|design an?|propose|synthesi[sz]e|trace how|walk me through)\b|详细|深入|分析|评估|论述|论证|探讨|总结|归纳|综述|梳理|方案|利害|权衡|全面/i,
  },
  {
    name: 'explanation',
    points: 1.5,
    pattern:
      /\b(why|how (do|does|did|can|could|should|would|is|are|was|were|to)|explain|describe|what (caused|causes|happens|happened|effects?|reasons?|factors?|steps|role|purpose|impact)|in what ways?|what (are|were) the (main|major|key|different|various)|relationship between|give (an )?examples?|list (all|the)|reasons?|causes?|consequences?|mechanism)\b|为什么|为何|如何|怎么|怎样|解释|说明|描述|介绍|原因|影响|步骤|过程|原理|有哪些|哪些|意义|作用|关系|区分/i,
  },
  {
    name: 'code',
    points: 1.5,
    pattern:
      /`[^`]+`|```|\b(function|class|select [^;]{1,80}? from|def |const |import )\b|[{};]\s*$|=>|\(\)|error:|exception/i,
  },
  {
    name: 'calculation',
    points: 1.5,
    pattern:
      /\b(calculate|compute|sum of|total of|average|ratio|percent(age)? (change|increase|decrease)|how (many|much) (more|less|fewer|times|in total|altogether)|difference in|growth rate)\b|总共|合计|平均|比例|增长率|相差|多多少|占比|计算/i,
  },
  {
    name: 'condition',
    points: 1.5,
    pattern: /\b(if|unless|suppose|assuming|given that|in case)\b|如果|假如|假设|的情况下|前提/i,
  },
];

/** Each is a list of patterns that all have to be there, in any order: nothing here can take more than linear time. */
const severalSources: RegExp[][] = [
  [/\bboth\b/i, /\band\b/i],
  [/\b(articles?|reports?|coverage|stor(y|ies)) (from|by|on|in|published)\b/i, /\b(and|while|but)\b/i],
  [/\baccording to\b/i, /\b(and|while|whereas)\b/i, /\b(report|article|state|suggest|claim|discuss)/i],
  [
    /\bwh(ich|at|o is the) (company|person|individual|team|platform|figure|entity|organi[sz]ation|city|state|country|player)\b/i,
    /\b(and|also|as well as|while)\b/i,
    /\b(reported|discussed|mentioned|covered|articles?|according|featured|described|named)\b/i,
  ],
  [/\b(reported|covered|discussed|mentioned|described|named|featured) (by|in|on)\b/i, /\b(and|while)\b/i],
  [
    /\b((in)?consisten(t|cy|cies|tly)|(agrees?|in line|align(s|ed)?) with|disagrees?|contradict(s|ed)?|rule out the others)\b/i,
  ],
  [/\b(which|who) of the (two|three|four)\b/i],
  [/\b((has|is|was|have|were) also|also (faces?|faced|known|reported|described|accused|named))\b/i],
  [/\b(before|after|between|since) the (article|report|publication|interview)\b/i],
  [/\b(does|did|do|has|have|is|was|are|were)\b/i, /\b(article|post|piece)\b/i],
  [/一致|相符|矛盾|共同点/],
  [/[两三几各](份|篇|项|个|家)/, /报告|报道|研究|观点|文章|说法|结论/],
];
const SEVERAL_SOURCES_POINTS = 3;

/** A claim to be checked is more than a fact to be looked up. */
const CLAIM_POINTS = 1.5;
const ASKS =
  /[?？]|^(please |could |can |would )?(what|who|whom|whose|which|when|where|why|how|is|are|was|were|do|does|did|has|have|should|name|list|tell|give|show|find|explain|describe|compare|calculate|define)\b|什么|谁|哪|何|几|多少|吗|呢|怎|请|是否|说明|描述|介绍|比较|对比|分析|总结/i;

const LONG_WORDS = 22;
const VERY_LONG_WORDS = 38;
const MEDIUM_SCORE = 1.5;
/** One strong signal is enough; of weak ones it takes three. */
const STRONG_POINTS = 3;
const COMPLEX_SCORE = 4;
const DEEP_CONVERSATION = 6;
const MANY_SOURCES = 6;

/** How much a question asks of a model. Deterministic, in process, less than a millisecond for the longest question. */
export function assessComplexity({
  question,
  conversationDepth = 0,
  strongSources = null,
}: ComplexityInput): Assessment {
  const text = question.slice(0, 8_000);
  const reasons = signals
    .filter(({ pattern }) => pattern.test(text))
    .map(({ name, points }) => ({ signal: name, points }));
  const add = (signal: string, points: number): void => {
    if (points > 0) reasons.push({ signal, points });
  };
  const isJoining = severalSources.some((patterns) => patterns.every((pattern) => pattern.test(text)));
  add('several sources', isJoining ? SEVERAL_SOURCES_POINTS : 0);
  const words = countWords(text);
  add('length', words >= VERY_LONG_WORDS ? 2.5 : words >= LONG_WORDS ? 1 : 0);
  add('several questions', severalQuestions(text));
  add('numbers', (text.match(/\d[\d.,]*/g)?.length ?? 0) >= 3 ? 1 : 0);
  add('claim', ASKS.test(text.trim()) ? 0 : CLAIM_POINTS);
  add('conversation', conversationDepth >= DEEP_CONVERSATION ? 1 : 0);
  add('many sources', strongSources !== null && strongSources >= MANY_SOURCES ? 1 : 0);
  const score = reasons.reduce((sum, { points }) => sum + points, 0);
  reasons.sort((a, b) => b.points - a.points);
  const isComplex = score >= COMPLEX_SCORE || reasons[0]?.points === STRONG_POINTS;
  const complexity = isComplex ? 'complex' : score >= MEDIUM_SCORE ? 'medium' : 'simple';
  return { complexity, score, reasons };
}

/** Two characters of a script without spaces are about a word. */
function countWords(text: string): number {
  return isMostlyUnspaced(text) ? text.replaceAll(/\s/g, '').length / 2 : text.split(/\s+/).length;
}

function severalQuestions(text: string): number {
  const marks = text.match(/[?？]+/g)?.length ?? 0;
  if (marks >= 2) return 2;
  return /\b(and|also|,) (what|who|when|where|why|how|which)\b|以及|并且|分别|同时/i.test(text) ? 1.5 : 0;
}

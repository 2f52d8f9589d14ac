// English: PostgreSQL's english.stop without the apostrophes' fragments. Chinese: particles and question words, which
// carry nothing that a document could answer with.
const stopWords = new Set(
  `i me my myself we our ours ourselves you your yours yourself yourselves he him his himself she her hers herself it
  its itself they them their theirs themselves what which who whom this that these those am is are was were be been
  being have has had having do does did doing a an the and but if or because as until while of at by for with about
  against between into through during before after above below to from up down in out on off over under again further
  then once here there when where why how all any both each few more most other some such no nor not only own same so
  than too very s t can will just don should now would could may might must shall many much
  的 了 和 是 在 有 与 及 或 吗 呢 吧 啊 把 被 对 从 到 为 也 都 就 这 那 什么 哪些 哪个 哪里 怎么 怎样 如何 为什么 多少 几
  是什么 什 么 哪 些 样 何`.split(/\s+/),
);

export function isStopWord(word: string): boolean {
  return stopWords.has(word);
}

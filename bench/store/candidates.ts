/** What `Retriever` asks each leg for. */
export const CANDIDATES = 100;

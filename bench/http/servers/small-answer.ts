/** What POST /search says when nothing was found. */
export function smallAnswer(requestId: string) {
  return {
    sources: [] as never[],
    latency_ms: 1.25,
    timings_ms: { embed: 0.5, vector: 0.25, lexical: 0.25, rank: 0.25 },
    request_id: requestId,
    degraded_reasons: [] as never[],
  };
}

/** How LangChain tells of a run: JSON patches of one object. */
export interface LogPatch {
  ops: { op: 'replace' | 'add'; path: string; value: unknown }[];
}

/** Chunks as `stream_log` sends them; their sum, as the clients add it up, is the final output. */
export async function* logOf(
  chunks: AsyncIterable<object>,
  run: { id: string; name: string },
): AsyncGenerator<LogPatch, void> {
  const state = { ...run, type: 'chain', streamed_output: [], final_output: null, logs: {} };
  yield { ops: [{ op: 'replace', path: '', value: state }] };
  const sum: Record<string, unknown> = {};
  for await (const chunk of chunks) {
    addTo(sum, chunk);
    yield {
      ops: [
        { op: 'add', path: '/streamed_output/-', value: chunk },
        { op: 'replace', path: '/final_output', value: { ...sum } },
      ],
    };
  }
}

/** After a restart the text begins anew. */
function addTo(sum: Record<string, unknown>, chunk: object): void {
  for (const [name, value] of Object.entries(chunk)) {
    if (name === 'restart') for (const text of ['answer', 'output']) delete sum[text];
    else if (name === 'step') continue;
    else if (typeof value === 'string' && (name === 'answer' || name === 'output'))
      sum[name] = ((sum[name] as string | undefined) ?? '') + value;
    else sum[name] = value;
  }
}

/** The answer is made from documents; which model writes it depends on the question. */
export const DEFAULT_MODEL = 'ragstone';
/** In front of a model's or a chain's name: it is asked without documents. */
export const DIRECT_PREFIX = 'direct/';

export type AskedModel =
  | { kind: 'documents'; model: string | undefined; collection: string | undefined }
  | { kind: 'direct'; chain: string };

/** "ragstone", "small", "ragstone@handbook", "direct/small": names of models and chains have no "@". */
export function readModelName(name: string): AskedModel {
  if (name.startsWith(DIRECT_PREFIX)) return { kind: 'direct', chain: name.slice(DIRECT_PREFIX.length) };
  const at = name.indexOf('@');
  const model = at < 0 ? name : name.slice(0, at);
  return {
    kind: 'documents',
    model: model === DEFAULT_MODEL ? undefined : model,
    collection: at < 0 ? undefined : name.slice(at + 1),
  };
}

/**
 * Feature hashing (Weinberger et al. 2009): every term adds +-(1 + ln tf) at a hashed place. Not normalised.
 */
export function hashTerms(terms: readonly string[], dimensions: number): Float32Array {
  const counts = new Map<string, number>();
  for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
  const vector = new Float32Array(dimensions);
  for (const [term, count] of counts) {
    const hash = fnv1a(term);
    const sign = hash & 0x80000000 ? -1 : 1;
    vector[(hash & 0x7fffffff) % dimensions]! += sign * (1 + Math.log(count));
  }
  return vector;
}

/** 32-bit FNV-1a over UTF-16 units, mixed once more so that high and low bits are independent. */
function fnv1a(term: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < term.length; index += 1) {
    hash = Math.imul(hash ^ term.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}

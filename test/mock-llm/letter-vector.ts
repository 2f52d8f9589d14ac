/** A vector that depends on the letters of the text: equal texts are equal, similar texts are near. */
export function letterVector(text: string, dimensions: number): Float32Array {
  const vector = new Float32Array(dimensions).fill(0.01);
  for (const letter of text.toLowerCase()) vector[letter.charCodeAt(0) % dimensions]! += 1;
  return vector;
}

export function encodeVector(vector: Float32Array, format: unknown): string | (number | null)[] {
  if (format === 'base64') {
    return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64');
  }
  return Array.from(vector, (value) => (Number.isNaN(value) ? null : value));
}

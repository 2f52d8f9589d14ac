/** As `halfvecArray` of libs/database, for pgvector's full-precision type. */
export function vectorArray(vectors: readonly Float32Array[], vectorOid: number): Buffer {
  const header = 20;
  const buffer = Buffer.alloc(vectors.reduce((sum, vector) => sum + 8 + vector.length * 4, header));
  buffer.writeInt32BE(1, 0); // array dimensions
  buffer.writeUInt32BE(vectorOid, 8);
  buffer.writeInt32BE(vectors.length, 12);
  buffer.writeInt32BE(1, 16); // lower bound
  let offset = header;
  for (const vector of vectors) {
    buffer.writeInt32BE(4 + vector.length * 4, offset);
    buffer.writeInt16BE(vector.length, offset + 4);
    offset += 8;
    for (const value of vector) offset = buffer.writeFloatBE(value, offset);
  }
  return buffer;
}

/** One vector as a binary parameter of pgvector's full-precision type. */
export function vectorBinary(vector: Float32Array): Buffer {
  const buffer = Buffer.alloc(4 + vector.length * 4);
  let offset = buffer.writeInt16BE(vector.length, 0) + 2;
  for (const value of vector) offset = buffer.writeFloatBE(value, offset);
  return buffer;
}

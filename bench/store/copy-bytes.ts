/** Rows in the binary format of COPY: https://www.postgresql.org/docs/18/sql-copy.html#SQL-COPY-BINARY-FORMAT */
export function copyBytes(rows: readonly { ids: string[]; embedding: Float32Array }[]): Buffer {
  const signature = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
  return Buffer.concat([signature, ...rows.map(rowBytes), Buffer.from([0xff, 0xff])]);
}

function rowBytes({ ids, embedding }: { ids: string[]; embedding: Float32Array }): Buffer {
  const bytes = Buffer.alloc(2 + ids.length * 20 + 8 + embedding.length * 2);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  view.setInt16(0, ids.length + 1);
  let offset = 2;
  for (const id of ids) {
    view.setInt32(offset, 16);
    bytes.write(id.replaceAll('-', ''), offset + 4, 'hex');
    offset += 20;
  }
  view.setInt32(offset, 4 + embedding.length * 2);
  view.setInt16(offset + 4, embedding.length);
  offset += 8;
  for (const value of embedding) {
    view.setFloat16(offset, value);
    offset += 2;
  }
  return bytes;
}

/** IDX content: the element type's code, lengths and values, big-endian. */
export function buildIdx(code: number, shape: readonly number[], values: ArrayLike<number>): Uint8Array {
  const size = { 8: 1, 9: 1, 11: 2, 12: 4, 13: 4, 14: 8 }[code]!;
  const bytes = new Uint8Array(4 + 4 * shape.length + size * values.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0, 0, code, shape.length]);
  for (const [i, d] of shape.entries()) view.setUint32(4 + 4 * i, d);
  for (let i = 0; i < values.length; i++) {
    const at = 4 + 4 * shape.length + size * i;
    if (code === 8) view.setUint8(at, values[i]!);
    else if (code === 9) view.setInt8(at, values[i]!);
    else if (code === 11) view.setInt16(at, values[i]!);
    else if (code === 12) view.setInt32(at, values[i]!);
    else if (code === 13) view.setFloat32(at, values[i]!);
    else view.setFloat64(at, values[i]!);
  }
  return bytes;
}

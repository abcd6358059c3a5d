import { crc32, gunzipSync } from 'node:zlib';
import { walkDeflate } from './deflate';
import { type Fail, failIn } from './fail';

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * Inflates a gzip file (RFC 1952) whose content begins with its own length. The content is walked first, and memory
 * for it taken only when length and checksums are right: a damaged or hostile file costs none.
 *
 * @param headLength bytes of the content that suffice for `lengthOf`.
 * @param lengthOf the content's length, by its first bytes; throws where they make no sense.
 */
export function gunzip(
  bytes: Uint8Array,
  file: string,
  headLength: number,
  lengthOf: (head: Uint8Array) => number,
): Uint8Array {
  const fail = failIn(file);
  const head = new Uint8Array(headLength);
  let count = 0;
  let expected: number | undefined;
  for (let start = 0; start < bytes.length; ) {
    let checksum = 0;
    const before = count;
    const begin = deflateStart(bytes, start, fail);
    const end = walkDeflate(
      bytes,
      begin,
      (piece) => {
        if (count < headLength) head.set(piece.subarray(0, headLength - count), count);
        count += piece.length;
        checksum = crc32(piece, checksum);
        if (count >= headLength) expected ??= lengthOf(head);
        if (expected !== undefined && count > expected) fail(begin, `${expected} bytes of content`, 'more');
      },
      fail,
    );
    start = end + 8;
    if (start > bytes.length) fail(bytes.length, 'checksum and length of the content', 'the end of the file');
    const trailer = new DataView(bytes.buffer, bytes.byteOffset + end, 8);
    const stored = trailer.getUint32(0, true);
    const length = trailer.getUint32(4, true);
    if (stored !== checksum) fail(end, `checksum ${checksum} of the content`, `${stored}`);
    if (length !== (count - before) % 2 ** 32) fail(end + 4, `${count - before} as its length`, `${length}`);
  }
  expected ??= lengthOf(head.subarray(0, count));
  if (count !== expected) fail(bytes.length, `${expected} bytes of content`, `${count}`);
  try {
    return gunzipSync(bytes, { maxOutputLength: Math.max(count, 1) });
  } catch (cause) {
    return fail(0, 'gzip data', (cause as Error).message, cause);
  }
}

/** Where the header of a member ends. */
function deflateStart(bytes: Uint8Array, start: number, fail: Fail): number {
  const magic = bytes[start] === 0x1f && bytes[start + 1] === 0x8b && bytes[start + 2] === 8;
  if (!magic) fail(start, 'gzip magic 1f 8b 08', `${[...bytes.subarray(start, start + 3)]}`);
  const flags = bytes[start + 3] ?? 0;
  if (flags & 0xe0) fail(start + 3, 'known gzip flags', `${flags}`);
  let at = start + 10;
  if (flags & 4) at += 2 + (bytes[at] ?? 0) + 256 * (bytes[at + 1] ?? 0); // extra field
  for (const text of [8, 16]) {
    if (!(flags & text)) continue; // file name, comment
    const zero = bytes.indexOf(0, at);
    at = zero < 0 ? bytes.length : zero + 1;
  }
  if (flags & 2) at += 2; // checksum of the header
  if (at > bytes.length) fail(bytes.length, 'a gzip header', 'the end of the file');
  return at;
}

import { isUtf8 } from 'node:buffer';
import { FileFormatError } from '../../errors';

const NEWLINE = 0x0a;

/** Where text begins: behind a byte order mark. */
export function textStart(bytes: Uint8Array): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}

/** Throws a `FileFormatError` that names the first line that is not UTF-8. */
export function checkUtf8(bytes: Uint8Array, file: string): void {
  if (isUtf8(bytes)) return;
  for (let start = 0, line = 1; start < bytes.length; line++) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline < 0 ? bytes.length : newline;
    if (!isUtf8(bytes.subarray(start, end))) {
      throw new FileFormatError({
        file,
        offset: start,
        expected: 'UTF-8',
        received: `other bytes in line ${line}`,
      });
    }
    start = end + 1;
  }
}

export function decodeUtf8(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}

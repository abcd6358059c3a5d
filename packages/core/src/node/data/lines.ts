import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import type { Dataset } from '../../data';
import { FileFormatError } from '../../errors';
import { readBytes, unreadable } from './read-bytes';
import { checkUtf8, decodeUtf8, textStart } from './utf8';

const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** A line of a file, where it starts and which one it is, counted from 1. */
export interface Line {
  text: string;
  offset: number;
  number: number;
}

/**
 * The lines of a UTF-8 text file, without their ends (`\n` or `\r\n`). An empty line is an empty string; the end of
 * the last line may be missing. The file is kept in memory as its bytes, a line becomes a string when it is read.
 * @throws FileFormatError where it is not UTF-8. StorageError where it cannot be read.
 */
export function textLines(file: string): Dataset<string> {
  const bytes = readBytes(file);
  checkUtf8(bytes, file);
  const starts = lineStarts(bytes);
  return {
    length: starts.length - 1,
    get: (i) => decodeUtf8(lineOf(bytes, starts[i]!, starts[i + 1]!)),
  };
}

/** The lines of a UTF-8 text file of any size, as `textLines` gives them, read while they are walked. */
export function streamLines(file: string): AsyncIterable<string> {
  return {
    async *[Symbol.asyncIterator]() {
      for await (const { text } of readLines(file)) yield text;
    },
  };
}

/** Where each line starts, and behind them where the next one would. */
export function lineStarts(bytes: Uint8Array): Uint32Array {
  let count = 0;
  const first = textStart(bytes);
  for (let at = first; at < bytes.length; count++) at = nextLine(bytes, at);
  const starts = new Uint32Array(count + 1);
  starts[0] = first;
  for (let i = 0; i < count; i++) starts[i + 1] = nextLine(bytes, starts[i]!);
  return starts;
}

/** The line that starts at `start` and whose successor starts at `end`, without its end. */
export function lineOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  let last = end;
  if (last > start && bytes[last - 1] === NEWLINE) last--;
  if (last > start && bytes[last - 1] === RETURN) last--;
  return bytes.subarray(start, last);
}

function nextLine(bytes: Uint8Array, start: number): number {
  const newline = bytes.indexOf(NEWLINE, start);
  return newline < 0 ? bytes.length : newline + 1;
}

/** Walks the lines of a file, a block of it in memory at a time. */
export async function* readLines(file: string): AsyncGenerator<Line, void, undefined> {
  const stream = createReadStream(file);
  let unfinished: Uint8Array[] = [];
  let offset = 0;
  let number = 1;
  const finish = (): Line => {
    const bytes = unfinished.length === 1 ? unfinished[0]! : Buffer.concat(unfinished);
    unfinished = [];
    if (!isUtf8(bytes)) {
      throw new FileFormatError({
        file,
        offset,
        expected: 'UTF-8',
        received: `other bytes in line ${number}`,
      });
    }
    const from = number === 1 ? textStart(bytes) : 0;
    const line = { text: decodeUtf8(lineOf(bytes, from, bytes.length)), offset: offset + from, number };
    offset += bytes.length;
    number++;
    return line;
  };
  try {
    for await (const block of stream as AsyncIterable<Buffer>) {
      for (let at = 0; at < block.length; ) {
        const end = nextLine(block, at);
        unfinished.push(block.subarray(at, end));
        if (block[end - 1] === NEWLINE) yield finish();
        at = end;
      }
    }
  } catch (error) {
    throw error instanceof Error && 'syscall' in error ? unreadable(file, error) : error;
  } finally {
    stream.destroy();
  }
  if (unfinished.length > 0) {
    const last = finish();
    // A byte order mark and nothing else is an empty file.
    if (last.text !== '' || last.number > 1) yield last;
  }
}

import type { Dataset } from '../../data';
import { FileFormatError } from '../../errors';
import { type Line, lineOf, lineStarts, readLines } from './lines';
import { readBytes } from './read-bytes';
import { checkUtf8, decodeUtf8 } from './utf8';

export interface JsonlOptions<T> {
  /**
   * Makes a sample of a parsed line, or throws: the place to check and to convert, for example arrays of numbers to
   * typed arrays. Default: the value as it is, believed to be a `T`.
   */
  parse?: (value: unknown, line: number) => T;
}

/**
 * A file of one JSON value per line; lines of white space do not count. The file is kept in memory as its bytes, a
 * line is parsed each time that it is read.
 * @throws FileFormatError where it is not UTF-8; on reading a sample, where its line is not JSON or `parse` throws.
 *   StorageError where it cannot be read.
 */
export function jsonl<T = unknown>(file: string, options: JsonlOptions<T> = {}): Dataset<T> {
  const bytes = readBytes(file);
  checkUtf8(bytes, file);
  const starts = lineStarts(bytes);
  const lineBytes = (i: number) => lineOf(bytes, starts[i]!, starts[i + 1]!);
  const filled = new Uint32Array(starts.length - 1);
  let count = 0;
  for (let i = 0; i < filled.length; i++) {
    if (!lineBytes(i).every((b) => b === SPACE || b === TAB)) filled[count++] = i;
  }
  return {
    length: count,
    get(k) {
      const i = filled[k]!;
      return parseLine(file, { text: decodeUtf8(lineBytes(i)), offset: starts[i]!, number: i + 1 }, options);
    },
  };
}

/** A file of one JSON value per line, of any size, read while it is walked; see `jsonl`. */
export function streamJsonl<T = unknown>(file: string, options: JsonlOptions<T> = {}): AsyncIterable<T> {
  return {
    async *[Symbol.asyncIterator]() {
      for await (const line of readLines(file)) {
        if (/[^ \t]/.test(line.text)) yield parseLine(file, line, options);
      }
    },
  };
}

function parseLine<T>(file: string, { text, offset, number }: Line, { parse }: JsonlOptions<T>): T {
  const fail = (expected: string, cause: unknown): never => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FileFormatError({ file, offset, expected, received: `in line ${number}: ${reason}`, cause });
  };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    return fail('a JSON value', cause);
  }
  if (!parse) return value as T;
  try {
    return parse(value, number);
  } catch (cause) {
    return fail('a line that parse accepts', cause);
  }
}

const SPACE = 0x20;
const TAB = 0x09;

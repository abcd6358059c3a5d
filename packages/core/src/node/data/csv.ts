import { type CsvError, parse } from 'csv-parse/sync';
import { type Column, type Dataset, fromArrays, type HostArray } from '../../data';
import { checkArgument, FileFormatError } from '../../errors';
import { readBytes } from './read-bytes';
import { checkUtf8 } from './utf8';

/** What a column holds: numbers (batched to float32 `[n]`), integers (to int32 `[n]`), or text (to `string[]`). */
export type CsvColumnType = 'float32' | 'int32' | 'string';

/** What a sample holds of a column. */
export type CsvValue<T extends CsvColumnType> = T extends 'string' ? string : HostArray;

export interface CsvOptions<C extends Record<string, CsvColumnType>> {
  /** The columns to read, by the names in the header; others are passed over. */
  columns: C;
  /** Whether the first line names the columns. If not, `columns` lists all, in order. Default true. */
  header?: boolean;
  /** One character. Default `','`. */
  delimiter?: string;
}

/**
 * Reads a CSV file (RFC 4180: quotes, doubled quotes and line breaks inside them; empty lines do not count):
 * `csv('iris.csv', { columns: { petalLength: 'float32', species: 'string' } })`. All of it is in memory afterwards,
 * numbers as typed arrays.
 * @throws FileFormatError, with byte and line, for rows of unequal length, open quotes, values that are no numbers
 *   where the column says so (missing ones too), columns that the header does not name. StorageError where the file
 *   cannot be read.
 */
export function csv<const C extends Record<string, CsvColumnType>>(
  file: string,
  { columns, header = true, delimiter = ',' }: CsvOptions<C>,
): Dataset<{ -readonly [K in keyof C]: CsvValue<C[K]> }> {
  const wanted = Object.entries(columns);
  const known = wanted.every(([, type]) => type in converters);
  const expected = `at least one column, each of ${Object.keys(converters).join(', ')}`;
  checkArgument(wanted.length > 0 && known, 'csv', 'options.columns', expected, Object.values(columns));
  checkArgument(/^[^"\r\n]$/.test(delimiter), 'csv', 'options.delimiter', 'one character', delimiter);
  const bytes = readBytes(file);
  checkUtf8(bytes, file);

  const values = wanted.map((): (string | number)[] => []);
  let positions = header ? undefined : wanted.map((_, i) => i);
  let offset = 0; // of the row, known from where the last one ended
  const row = (fields: string[], { lines, bytes: end }: { lines: number; bytes: number }): null => {
    const fail = (wish: string, received: string): never => {
      throw new FileFormatError({ file, offset, expected: wish, received: `${received} in line ${lines}` });
    };
    if (!positions) {
      positions = wanted.map(([name]) => {
        const at = fields.indexOf(name);
        if (at < 0) fail(`a column '${name}'`, `the columns ${fields.map((f) => `'${f}'`).join(', ')}`);
        if (fields.lastIndexOf(name) !== at) fail(`one column '${name}'`, 'more of that name');
        return at;
      });
    } else {
      if (!header && fields.length !== wanted.length) fail(`${wanted.length} columns`, `${fields.length}`);
      wanted.forEach(([name, type], i) => {
        const text = fields[positions![i]!]!;
        const value = converters[type](text);
        if (value === undefined) fail(`${type} in column '${name}'`, JSON.stringify(text.slice(0, 40)));
        else values[i]!.push(value);
      });
    }
    offset = end;
    return null; // not kept
  };
  try {
    parse(bytes, {
      bom: true,
      delimiter,
      record_delimiter: ['\r\n', '\n', '\r'],
      skip_empty_lines: true,
      on_record: row,
    });
  } catch (error) {
    if (FileFormatError.isInstance(error)) throw error;
    throw new FileFormatError({
      file,
      offset,
      expected: 'CSV',
      received: (error as CsvError).message,
      cause: error,
    });
  }
  if (!positions) {
    throw new FileFormatError({
      file,
      offset: bytes.length,
      expected: 'a header',
      received: 'the end of the file',
    });
  }
  const arrays = wanted.map(([name, type], i): [string, Column] => {
    if (type === 'string') return [name, values[i] as string[]];
    const numbers = values[i] as number[];
    return [name, type === 'float32' ? Float32Array.from(numbers) : Int32Array.from(numbers)];
  });
  return fromArrays(Object.fromEntries(arrays)) as Dataset<{ -readonly [K in keyof C]: CsvValue<C[K]> }>;
}

/** Value of a field, undefined where it has none of that type. */
const converters: Record<CsvColumnType, (text: string) => number | string | undefined> = {
  string: (text) => text,
  float32(text) {
    const value = Number(text);
    return text.trim() !== '' && Number.isFinite(value) ? value : undefined;
  },
  int32(text) {
    const value = Number(text);
    return /^\s*[+-]?\d+\s*$/.test(text) && value === (value | 0) ? value : undefined;
  },
};

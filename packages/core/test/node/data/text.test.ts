import { describe, expect, expectTypeOf, it } from 'vitest';
import { DataLoader, type Dataset, type HostArray } from '../../../src/data';
import { ArgumentError, FileFormatError, StorageError } from '../../../src/errors';
import { csv, jsonl, streamJsonl, streamLines, textLines } from '../../../src/node/data';
import { temporaryFolder } from './temporary';

const folder = temporaryFolder();
const all = <S>(dataset: Dataset<S>) =>
  Promise.all(Array.from({ length: dataset.length }, (_, i) => dataset.get(i)));
async function walked<S>(samples: AsyncIterable<S>): Promise<S[]> {
  const found: S[] = [];
  for await (const sample of samples) found.push(sample);
  return found;
}
const caught = async (run: () => unknown): Promise<unknown> => {
  try {
    await run();
  } catch (e) {
    return e;
  }
  throw new Error('nothing was thrown');
};
const INVALID = Uint8Array.of(0x61, 0x0a, 0x62, 0xff, 0x0a);

describe('textLines and streamLines', () => {
  it.each([
    ['', []],
    ['\n', ['']],
    ['a', ['a']],
    ['a\nb\n', ['a', 'b']],
    ['a\r\n\r\nb', ['a', '', 'b']],
    ['\n\nü€😀\n', ['', '', 'ü€😀']],
    ['\ufeffa\nb', ['a', 'b']],
    ['\ufeff', []],
    ['a\rb\n\r', ['a\rb', '']],
  ])('%j', async (content, lines) => {
    const file = folder.write('lines.txt', content);
    const dataset = textLines(file);
    expect(dataset.length).toBe(lines.length);
    expect(await all(dataset)).toEqual(lines);
    expect(await walked(streamLines(file))).toEqual(lines);
  });

  it('streams lines across blocks, and closes the file when left early', async () => {
    const lines = Array.from({ length: 3000 }, (_, i) => `${i} ${'äß'.repeat(i % 97)}`);
    const long = 'x'.repeat(300_000);
    const file = folder.write('long.txt', [...lines, long].join('\n'));
    expect(await walked(streamLines(file))).toEqual([...lines, long]);
    for await (const line of streamLines(file)) {
      expect(line).toBe('0 ');
      break;
    }
  });

  it('feeds a loader', async () => {
    const file = folder.write('loader.txt', 'a\nb\nc\n');
    const loader = new DataLoader(textLines(file), { batchSize: 2 });
    expectTypeOf(loader).toEqualTypeOf<DataLoader<string, string[]>>();
    expect(await walked(loader)).toEqual([['a', 'b'], ['c']]);
    expect(await walked(new DataLoader(streamLines(file), { batchSize: 2 }))).toEqual([['a', 'b'], ['c']]);
  });

  it('names the line that is not UTF-8', async () => {
    const file = folder.write('bad.txt', INVALID);
    const message = `${file} at byte 2: expected UTF-8, got other bytes in line 2`;
    for (const run of [() => textLines(file), () => walked(streamLines(file))]) {
      const error = await caught(run);
      expect(FileFormatError.isInstance(error)).toBe(true);
      expect((error as Error).message).toBe(message);
    }
    const none = `${folder.path}/none.txt`;
    expect(StorageError.isInstance(await caught(() => textLines(none)))).toBe(true);
    expect(StorageError.isInstance(await caught(() => walked(streamLines(none))))).toBe(true);
    expect(StorageError.isInstance(await caught(() => walked(streamLines(folder.path))))).toBe(true);
  });
});

describe('jsonl', () => {
  it('parses lines when they are read', async () => {
    const file = folder.write('a.jsonl', '{"text":"a","n":1}\n\n  \t\n{"text":"b","n":2}\r\n');
    const data = jsonl<{ text: string; n: number }>(file);
    expect(data.length).toBe(2);
    expect(await all(data)).toEqual([
      { text: 'a', n: 1 },
      { text: 'b', n: 2 },
    ]);
    expect(await walked(streamJsonl(file))).toEqual(await all(data));
    const [batch] = await walked(new DataLoader(data, { batchSize: 2 }));
    expect(batch!.text).toEqual(['a', 'b']);
    expect([...batch!.n.dataSync()]).toEqual([1, 2]);
    batch!.n.dispose();
  });

  it('checks and converts by parse', async () => {
    const file = folder.write('b.jsonl', '[1,2]\n"x"\n');
    const parse = (value: unknown, line: number) => {
      if (!Array.isArray(value)) throw new TypeError(`no list in line ${line}`);
      return Int32Array.from(value);
    };
    const data = jsonl(file, { parse });
    expect(data.get(0)).toEqual(Int32Array.of(1, 2));
    const message = `${file} at byte 6: expected a line that parse accepts, got in line 2: no list in line 2`;
    expect(() => data.get(1)).toThrow(message);
    await expect(walked(streamJsonl(file, { parse }))).rejects.toThrow(message);
  });

  it('names the line that is not JSON', async () => {
    const file = folder.write('c.jsonl', `{}\n\n{"a":\n${'['.repeat(100_000)}\n`);
    const data = jsonl(file);
    expect(data.length).toBe(3);
    for (const run of [() => data.get(1), () => walked(streamJsonl(file))]) {
      const error = (await caught(run)) as FileFormatError;
      expect(FileFormatError.isInstance(error)).toBe(true);
      expect(error).toMatchObject({ file, offset: 4, expected: 'a JSON value' });
      expect(error.message).toContain('in line 3');
    }
    expect(FileFormatError.isInstance(await caught(() => data.get(2)))).toBe(true);
    expect(() => jsonl(folder.write('d.jsonl', INVALID))).toThrow('in line 2');
  });
});

describe('csv', () => {
  it('reads the columns asked for', () => {
    const file = folder.write('a.csv', '\ufeffx,"the name",n,y\r\n0.5,"a ""b"",\nc",-3,9\n\n1e3,d, 7 ,\n');
    const data = csv(file, { columns: { n: 'int32', x: 'float32', 'the name': 'string' } });
    expectTypeOf(data).toEqualTypeOf<Dataset<{ n: HostArray; x: HostArray; 'the name': string }>>();
    expect(data.length).toBe(2);
    expect(data.get(0)).toEqual({
      n: { data: Int32Array.of(-3), shape: [] },
      x: { data: Float32Array.of(0.5), shape: [] },
      'the name': 'a "b",\nc',
    });
    expect(data.get(1)).toMatchObject({ x: { data: Float32Array.of(1000) }, n: { data: Int32Array.of(7) } });
  });

  it('reads files without a header, other delimiters, no rows', () => {
    const file = folder.write('b.csv', '1;a\n2;b');
    const data = csv(file, { columns: { n: 'float32', s: 'string' }, header: false, delimiter: ';' });
    expect([data.length, data.get(1)]).toEqual([2, { n: { data: Float32Array.of(2), shape: [] }, s: 'b' }]);
    expect(csv(folder.write('c.csv', 'a,b\n'), { columns: { b: 'string' } }).length).toBe(0);
    expect(csv(folder.write('d.csv', ''), { columns: { b: 'string' }, header: false }).length).toBe(0);
  });

  it.each([
    ['a,b\n1,2\n3\n', 8, 'Invalid Record Length: expect 2, got 1 on line 3'],
    ['a,b\n1,"2\n', 4, 'Quote Not Closed'],
    ['a,b\n1,"2"x\n', 4, 'Invalid Closing Quote'],
    ['a,b\n1,2"x\n', 4, 'Invalid Opening Quote'],
    ['a,b\n1,2\n3,x\n', 8, 'expected float32 in column \'b\', got "x" in line 3'],
    ['a,b\n1,\n', 4, 'expected float32 in column \'b\', got "" in line 2'],
    ['a,b\n1,NaN\n', 4, 'got "NaN"'],
    ['a,b\n1.5,1\n', 4, 'expected int32 in column \'a\', got "1.5"'],
    ['a,b\n3000000000,1\n', 4, "expected int32 in column 'a'"],
    ['a,c\n1,2\n', 0, "expected a column 'b', got the columns 'a', 'c' in line 1"],
    ['a,b,b\n', 0, "expected one column 'b', got more of that name"],
    ['', 0, 'expected a header, got the end of the file'],
  ])('names place and expectation: %j', (content, offset, message) => {
    const file = folder.write('bad.csv', content);
    let error: unknown;
    try {
      csv(file, { columns: { a: 'int32', b: 'float32' } });
    } catch (e) {
      error = e;
    }
    expect(FileFormatError.isInstance(error), String(error)).toBe(true);
    expect(error).toMatchObject({ file, offset });
    expect((error as Error).message).toContain(message);
  });

  it('names wrong arguments', async () => {
    const file = folder.write('e.csv', 'a\n1\n');
    expect(() => csv(file, { columns: {} })).toThrow('csv(options.columns)');
    expect(() => csv(file, { columns: { a: 'f64' as never } })).toThrow(ArgumentError);
    expect(() => csv(file, { columns: { a: 'string' }, delimiter: '""' })).toThrow('csv(options.delimiter)');
    expect(() => csv(file, { columns: { a: 'string', b: 'string' }, header: false })).toThrow(
      'expected 2 columns, got 1',
    );
    expect(() => csv(folder.write('f.csv', INVALID), { columns: { a: 'string' } })).toThrow('expected UTF-8');
    expect(
      StorageError.isInstance(await caught(() => csv(`${folder.path}/no.csv`, { columns: { a: 'string' } }))),
    ).toBe(true);
  });
});

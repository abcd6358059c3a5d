import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { DataLoader } from '../../../src/data';
import { ArgumentError, FileFormatError, StorageError } from '../../../src/errors';
import { decodeIdx, idx, mnist, readIdx } from '../../../src/node/data';
import { buildIdx } from './build-idx';
import { temporaryFolder } from './temporary';

const folder = temporaryFolder();
const types = [
  [8, Uint8Array, [0, 1, 127, 128, 254, 255]],
  [9, Int8Array, [0, 1, 127, -128, -2, -1]],
  [11, Int16Array, [0, 1, 0x1234, -32768, -2, 32767]],
  [12, Int32Array, [0, 1, 0x12345678, -2147483648, -2, 2147483647]],
  [13, Float32Array, [0, 1, Math.fround(0.1), Math.fround(-1e30), Number.POSITIVE_INFINITY, -2.5]],
  [14, Float64Array, [0, 1, 0.1, -1e300, Number.POSITIVE_INFINITY, -2.5]],
] as const;

function error(run: () => unknown): FileFormatError {
  try {
    run();
  } catch (e) {
    if (FileFormatError.isInstance(e)) return e;
    throw e;
  }
  throw new Error('nothing was thrown');
}

describe('readIdx', () => {
  it.each(types)('reads type %i, plain and gzipped', (code, kind, values) => {
    for (const shape of [[6], [2, 3], [3, 1, 2, 1]]) {
      const bytes = buildIdx(code, shape, values);
      for (const content of [bytes, gzipSync(bytes), gzipSync(bytes, { level: 0 })]) {
        const { data, shape: found } = decodeIdx(content);
        expect(data).toBeInstanceOf(kind);
        expect([...data]).toEqual([...values]);
        expect(found).toEqual(shape);
      }
    }
  });

  it('shares the bytes of a plain file, and reads from the middle of a buffer', () => {
    const bytes = buildIdx(12, [2], [7, 8]);
    const inside = new Uint8Array(99).fill(3);
    inside.set(bytes, 1);
    expect([...decodeIdx(inside.subarray(1, 1 + bytes.length)).data]).toEqual([7, 8]);
    const plain = buildIdx(8, [3], [1, 2, 3]);
    expect(decodeIdx(plain).data.buffer).toBe(plain.buffer);
  });

  it('reads empty arrays, also with lengths that have no product', () => {
    expect(decodeIdx(buildIdx(8, [0, 28, 28], []))).toEqual({ data: new Uint8Array(0), shape: [0, 28, 28] });
    const shape = [...Array.from({ length: 60 }, () => 0xffffffff), 0];
    expect(decodeIdx(buildIdx(14, shape, [])).data.length).toBe(0);
  });

  it('reads gzip of several members, with names and comments', () => {
    const bytes = buildIdx(8, [4], [1, 2, 3, 4]);
    const members = Buffer.concat([gzipSync(bytes.subarray(0, 5)), gzipSync(bytes.subarray(5))]);
    expect([...decodeIdx(members).data]).toEqual([1, 2, 3, 4]);
    const plain = gzipSync(bytes);
    const named = Buffer.concat([
      plain.subarray(0, 3),
      Uint8Array.of(4 | 8 | 16),
      plain.subarray(4, 10),
      Uint8Array.of(2, 0, 9, 9),
      Buffer.from('file\0comment\0'),
      plain.subarray(10),
    ]);
    expect([...decodeIdx(named).data]).toEqual([1, 2, 3, 4]);
  });

  it('says what is wrong, where, and in which file', () => {
    const good = buildIdx(11, [2, 3], [1, 2, 3, 4, 5, 6]);
    const file = folder.write('short.idx', good.subarray(0, -1));
    const short = error(() => readIdx(file));
    expect(short.message).toBe(`${file} at byte 23: expected 24 bytes for int16 of shape [2, 3], got 23`);
    expect(short).toMatchObject({ file, offset: 23, received: '23' });
    expect(error(() => decodeIdx(Buffer.concat([good, Uint8Array.of(0)]))).offset).toBe(24);
    expect(error(() => decodeIdx(good.subarray(0, 7))).message).toContain(
      'a header of 12 bytes for 2 axes, got 7',
    );
    expect(error(() => decodeIdx(new Uint8Array(3))).message).toContain(
      'an IDX header of at least 4 bytes, got 3',
    );
    const with_ = (at: number, value: number) => {
      const bytes = good.slice();
      bytes[at] = value;
      return bytes;
    };
    expect(error(() => decodeIdx(with_(0, 0x89))).message).toContain('IDX magic 00 00, got 89 00 0b 02');
    expect(error(() => decodeIdx(with_(2, 10))).message).toContain(
      'an IDX element type (8, 9, 11, 12, 13, 14), got 10',
    );
    expect(error(() => decodeIdx(with_(3, 0))).message).toContain('at least one axis');
    expect(() => readIdx(`${folder.path}/none.idx`)).toThrow('none.idx: cannot read: no such file or folder');
    expect(() => readIdx(folder.path)).toThrow('it is a folder');
    const missing = (() => {
      try {
        return readIdx(`${folder.path}/none.idx`);
      } catch (e) {
        return e;
      }
    })();
    expect(StorageError.isInstance(missing)).toBe(true);
  });

  it('says what is wrong inside gzip', () => {
    const good = buildIdx(8, [100], new Uint8Array(100).fill(7));
    const zipped = gzipSync(good);
    const of = (bytes: Uint8Array) => error(() => decodeIdx(bytes)).message;
    for (let n = 2; n < zipped.length; n++) expect(of(zipped.subarray(0, n))).toContain('IDX data at byte');
    const broken = new Uint8Array(zipped);
    broken[broken.length - 8]! ^= 1;
    expect(of(broken)).toMatch(/checksum \d+ of the content/);
    const long = new Uint8Array(zipped);
    long[long.length - 4]! ^= 1;
    expect(of(long)).toContain('expected 108 as its length, got 109');
    expect(of(Buffer.concat([zipped, new Uint8Array(9)]))).toContain('gzip magic 1f 8b 08, got 0,0,0');
    expect(of(gzipSync(good.subarray(0, 90)))).toContain('108 bytes of content, got 90');
    expect(of(gzipSync(Buffer.concat([good, good])))).toContain('108 bytes of content, got 216');
    expect(of(gzipSync(Buffer.from('hello')))).toContain('IDX magic');
    expect(of(gzipSync(new Uint8Array(0)))).toContain('IDX header');
  });

  it('takes no memory for what a header promises, nor for what a bomb inflates to', () => {
    const before = process.memoryUsage().arrayBuffers;
    expect(error(() => decodeIdx(buildIdx(14, [0xffffffff, 0xffffffff], []))).message).toContain(
      'bytes for float64',
    );
    const zeros = new Uint8Array(64 << 20);
    zeros.set(buildIdx(8, [(64 << 20) + 1], []));
    const bomb = gzipSync(zeros);
    const honest = process.memoryUsage().arrayBuffers;
    expect(error(() => decodeIdx(bomb)).message).toContain('bytes of content, got 67108864');
    expect(process.memoryUsage().arrayBuffers - honest).toBeLessThan(4 * bomb.length);
    expect(before).toBeGreaterThan(0);
  });
});

describe('idx', () => {
  it('is a dataset of rows', () => {
    const file = folder.write('rows.idx', buildIdx(8, [2, 2, 1], [0, 255, 7, 8]));
    const rows = idx(file);
    expect(rows.length).toBe(2);
    expect(rows.get(1)).toEqual({ data: Uint8Array.of(7, 8), shape: [2, 1] });
    expect(idx(file, { range: [0, 1] }).get(0)).toEqual({
      data: Uint8Array.of(0, 255),
      shape: [2, 1],
      range: [0, 1],
    });
    const floats = folder.write('floats.idx', buildIdx(13, [1], [0.5]));
    expect(() => idx(floats, { range: [0, 1] })).toThrow('idx(options.range)');
  });
});

describe('mnist', () => {
  const pixels = Uint8Array.from({ length: 3 * 4 * 4 }, (_, i) => i * 5);
  const images = folder.write('images.gz', gzipSync(buildIdx(8, [3, 4, 4], pixels)));
  const labels = folder.write('labels', buildIdx(8, [3], [7, 0, 9]));

  it('pairs pictures and classes', async () => {
    const data = mnist({ images, labels });
    expect(data.length).toBe(3);
    expect(data.get(2)).toEqual({
      image: { data: pixels.subarray(32), shape: [4, 4, 1], range: [-1, 1] },
      label: { data: Int32Array.of(9), shape: [] },
    });
    for await (const { image, label } of new DataLoader(data, { batchSize: 3 })) {
      expect([image.shape, image.dtype, label.shape, label.dtype]).toEqual([
        [3, 4, 4, 1],
        'float32',
        [3],
        'int32',
      ]);
      expect([...label.dataSync()]).toEqual([7, 0, 9]);
      expect(image.dataSync()[0]).toBe(-1);
      image.dispose();
      label.dispose();
    }
  });

  it('pads with black, in the middle', async () => {
    for (const padTo of [4, 6, 7]) {
      const { image } = await mnist({ images, labels, padTo, range: [0, 1] }).get(1);
      expect(image.shape).toEqual([padTo, padTo, 1]);
      const start = (padTo - 4) >> 1;
      const inside = (p: number) => p >= start && p < start + 4;
      image.data.forEach((value, i) => {
        const [y, x] = [Math.floor(i / padTo), i % padTo];
        expect(value).toBe(inside(x) && inside(y) ? pixels[16 + 4 * (y - start) + x - start] : 0);
      });
    }
  });

  it('refuses what does not belong together', () => {
    const few = folder.write('few', buildIdx(8, [2], [1, 2]));
    expect(error(() => mnist({ images, labels: few })).message).toBe(
      `${few} at byte 2: expected bytes of shape [3], one for each picture in ${images}, got Uint8Array of shape [2]`,
    );
    expect(error(() => mnist({ images: labels, labels })).message).toContain(
      'bytes of shape [count, height, width]',
    );
    expect(() => mnist({ images, labels, padTo: 3 })).toThrow(
      'mnist(padTo): expected an integer of at least 4, got 3',
    );
    expect(() => mnist({ images, labels, range: [1, 0] })).toThrow(ArgumentError);
  });
});

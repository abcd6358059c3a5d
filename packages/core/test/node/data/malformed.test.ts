import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PoiesisError } from '../../../src/errors';
import { csv, decodeIdx, jsonl, textLines } from '../../../src/node/data';
import { buildIdx } from './build-idx';
import { temporaryFolder } from './temporary';

const folder = temporaryFolder();

/** Whatever the input: a result, or a typed error. True where it was refused. */
function refused(run: () => unknown): boolean {
  try {
    run();
    return false;
  } catch (error) {
    if (PoiesisError.isInstance(error)) return true;
    throw error;
  }
}

/** A file that was good once: bytes overwritten, cut out, put in, cut off, or doubled. */
function damaged(file: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const place = fc.double({ min: 0, max: 1, noNaN: true }).map((x) => x ** 2); // headers more often than data
  const change = fc.oneof(
    fc.record({
      kind: fc.constant('set' as const),
      place,
      bytes: fc.uint8Array({ minLength: 1, maxLength: 4 }),
    }),
    fc.record({
      kind: fc.constant('put' as const),
      place,
      bytes: fc.uint8Array({ minLength: 1, maxLength: 9 }),
    }),
    fc.record({ kind: fc.constant('cut' as const), place, length: fc.nat(9) }),
    fc.record({ kind: fc.constant('end' as const), place }),
  );
  return fc.tuple(file, fc.array(change, { maxLength: 3 })).map(([good, changes]) => {
    let bytes = good;
    for (const c of changes) {
      const at = Math.floor(c.place * bytes.length);
      const head = bytes.subarray(0, at);
      if (c.kind === 'set') bytes = Buffer.concat([head, c.bytes, bytes.subarray(at + c.bytes.length)]);
      else if (c.kind === 'put') bytes = Buffer.concat([head, c.bytes, bytes.subarray(at)]);
      else if (c.kind === 'cut') bytes = Buffer.concat([head, bytes.subarray(at + c.length)]);
      else bytes = head;
    }
    return new Uint8Array(bytes);
  });
}

const idxFile = fc
  .tuple(
    fc.constantFrom(8, 9, 11, 12, 13, 14),
    fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 4 }),
    fc.integer({ min: -100, max: 100 }),
  )
  .map(([code, shape, value]) => {
    const size = shape.reduce((product, d) => product * d, 1);
    return buildIdx(code, shape, new Array(size).fill(value));
  });

describe('malformed files give typed errors', () => {
  it('IDX, plain and gzipped, 1200 of them, without memory for what they promise', () => {
    let refusals = 0;
    const files = fc.oneof(
      damaged(idxFile),
      damaged(idxFile.map((file) => gzipSync(file))),
      damaged(idxFile).map((file) => new Uint8Array(gzipSync(file))),
      fc.uint8Array({ maxLength: 40 }).map((rest) => Uint8Array.from([0, 0, 8 + (rest.length % 7), ...rest])),
      fc
        .tuple(idxFile, fc.nat(40_000))
        .map(([file, n]) => new Uint8Array(gzipSync(Buffer.concat([file, new Uint8Array(n)])))),
    );
    decodeIdx(buildIdx(8, [1], [0]));
    fc.assert(
      fc.property(files, (file) => {
        const before = process.memoryUsage().arrayBuffers;
        const wasRefused = refused(() => decodeIdx(file));
        // Memory that was taken and let go counts too: nothing is collected in so short a time. 2 kB: the head.
        const taken = process.memoryUsage().arrayBuffers - before;
        if (wasRefused) expect(taken).toBeLessThanOrEqual(4 * file.length + 2048);
        if (wasRefused) refusals++;
      }),
      { numRuns: 1200 },
    );
    expect(refusals).toBeGreaterThan(500);
  });

  it('CSV, JSON lines and text, 300 each', () => {
    const text = fc.array(
      fc.constantFrom('1', '2.5', ',', '"', '\n', '\r\n', 'a', '{"a":1}', '[', ' ', 'é'),
      { maxLength: 40 },
    );
    const files = damaged(text.map((parts) => new TextEncoder().encode(['a,b\n', ...parts].join(''))));
    fc.assert(
      fc.property(files, (content) => {
        const file = folder.write('file', content);
        refused(() => csv(file, { columns: { a: 'float32', b: 'string' } }));
        refused(() => csv(file, { columns: { a: 'int32' }, header: false, delimiter: ';' }));
        refused(() => {
          const lines = textLines(file);
          for (let i = 0; i < lines.length; i++) lines.get(i);
        });
        refused(() => {
          const values = jsonl(file);
          for (let i = 0; i < values.length; i++) refused(() => values.get(i));
        });
      }),
      { numRuns: 300 },
    );
  });
});

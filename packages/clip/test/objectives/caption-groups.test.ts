import { expectNoLeak } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { captionGroups } from '../../src';

const numbers = (groups: tf.Tensor) => [...groups.dataSync()];
const tokens = (rows: number[][]) => tf.tensor2d(rows, undefined, 'int32');

describe('captionGroups', () => {
  it('names each text by the first that is equal', () => {
    const groups = captionGroups(['a cat', 'a dog', 'a cat', 'A cat', 'a dog']);
    expect(groups.dtype).toBe('int32');
    expect(numbers(groups)).toEqual([0, 1, 0, 3, 1]);
  });

  it('does the same from tokens', () => {
    const groups = captionGroups(
      tokens([
        [49406, 320, 49407, 0],
        [49406, 49407, 320, 0],
        [49406, 320, 49407, 0],
        [49406, 320, 49407, 1],
        [49406, 49407, 320, 0],
        [49406, 320, 49407 + 256, 0],
        [49406, 320, 49407 - 65536 + 131072, 0],
      ]),
    );
    expect(groups.dtype).toBe('int32');
    expect(numbers(groups)).toEqual([0, 1, 0, 3, 1, 5, 6]);
  });

  it('tells all captions apart that differ in a token', () => {
    const token = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 200_000 }));
    const rows = fc
      .integer({ min: 1, max: 77 })
      .chain((length) =>
        fc.array(fc.array(token, { minLength: length, maxLength: length }), { minLength: 1, maxLength: 9 }),
      );
    fc.assert(
      fc.property(rows, (distinct) => {
        const all = [...distinct, ...distinct];
        const texts = all.map((row) => row.join());
        expect(numbers(captionGroups(tokens(all)))).toEqual(numbers(captionGroups(texts)));
      }),
      // Every shape is a program of its own where programs are compiled.
      { numRuns: process.env.POIESIS_TEST_BACKEND === 'onnx' ? 4 : 25, seed: 1 },
    );
  });

  it('leaves no tensor behind', () =>
    expectNoLeak(() => {
      const t = tokens([
        [1, 2],
        [1, 2],
      ]);
      tf.dispose([captionGroups(t), captionGroups(['a']), t]);
    }));

  it('rejects what are no captions', () => {
    expect(() => captionGroups([1, 2] as never)).toThrow('captionGroups(captions): expected texts');
    expect(() => captionGroups(tf.ones([2, 3]))).toThrow(
      'captionGroups(captions): expected tokens, int32 [n, context], got "float32 [2, 3]"',
    );
  });
});

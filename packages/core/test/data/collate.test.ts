import { expectNoLeak } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { collate, hostArray, int32 } from '../../src/data';
import { ArgumentError } from '../../src/errors';

function shown(tensor: unknown) {
  const { shape, dtype } = tensor as tf.Tensor;
  return { shape, dtype, values: [...(tensor as tf.Tensor).dataSync()] };
}

describe('collate', () => {
  it('stacks each kind of field', () => {
    const floats = hostArray(Float32Array.of(1, 2), [2, 1]);
    expect(shown(collate([floats, floats]))).toEqual({
      shape: [2, 2, 1],
      dtype: 'float32',
      values: [1, 2, 1, 2],
    });
    expect(shown(collate([Float64Array.of(0.1), Float64Array.of(0.2)]))).toEqual({
      shape: [2, 1],
      dtype: 'float32',
      values: [Math.fround(0.1), Math.fround(0.2)],
    });
    for (const data of [Uint8Array, Int8Array, Uint16Array, Int16Array, Int32Array]) {
      expect(shown(collate([data.of(7), data.of(9)]))).toEqual({
        shape: [2, 1],
        dtype: 'int32',
        values: [7, 9],
      });
    }
    expect(shown(collate([1.5, -2]))).toEqual({ shape: [2], dtype: 'float32', values: [1.5, -2] });
    expect(shown(collate([true, false]))).toEqual({ shape: [2], dtype: 'bool', values: [1, 0] });
    expect(shown(collate([int32(3), int32(4)]))).toEqual({ shape: [2], dtype: 'int32', values: [3, 4] });
    expect(collate(['a', 'b'])).toEqual(['a', 'b']);
  });

  it('maps bytes to their range, ends exactly', () => {
    for (const [range, expected] of [
      [
        [-1, 1],
        [-1, Math.fround(-1 + (2 * 51) / 255), 1],
      ],
      [
        [0, 1],
        [0, Math.fround(0.2), 1],
      ],
      [
        [0, 255],
        [0, 51, 255],
      ],
    ] as const) {
      const batch = collate([hostArray(Uint8Array.of(0, 51, 255), [3], range)]);
      expect(shown(batch)).toEqual({ shape: [1, 3], dtype: 'float32', values: expected });
    }
  });

  it('stacks records field by field and leaves nothing behind', async () => {
    await expectNoLeak(() => {
      const batch = collate([
        { image: hostArray(Uint8Array.of(0, 255), [1, 2, 1], [-1, 1]), label: int32(1), name: 'x' },
        { image: hostArray(Uint8Array.of(255, 0), [1, 2, 1], [-1, 1]), label: int32(2), name: 'y' },
      ]);
      expect(shown(batch.image)).toEqual({ shape: [2, 1, 2, 1], dtype: 'float32', values: [-1, 1, 1, -1] });
      expect(shown(batch.label)).toEqual({ shape: [2], dtype: 'int32', values: [1, 2] });
      expect(batch.name).toEqual(['x', 'y']);
      tf.dispose(batch);
    });
  });

  it('takes views into larger arrays', () => {
    const all = Float32Array.from({ length: 12 }, (_, i) => i);
    const batch = collate([hostArray(all.subarray(8, 10), [2]), hostArray(all.subarray(2, 4), [2])]);
    expect([...batch.dataSync()]).toEqual([8, 9, 2, 3]);
    batch.dispose();
  });

  it('names what does not fit', () => {
    const at = [10, 20, 30];
    const f = (n: number) => new Float32Array(n);
    expect(() => collate([f(2), f(2), f(3)], at)).toThrow(
      'collate(sample 30): expected shape [2], as in sample 10, got [3]',
    );
    expect(() => collate([{ x: f(2) }, { x: Int32Array.of(1, 2) }], at)).toThrow(
      'collate(sample 20, field \'x\'): expected floats, as in sample 10, got "integers"',
    );
    expect(() => collate([{ x: 1 }, { y: 1 }] as { x?: number }[], at)).toThrow(
      'the fields x, as in sample 10',
    );
    expect(() => collate([{ x: 1 }, { x: 1, y: 2 }], at)).toThrow('the fields x, as in sample 10');
    expect(() => collate([{ x: 1 }, 7] as unknown[], at)).toThrow('sample 20');
    expect(() => collate([{ x: 1 }, { x: 'a' }] as unknown[], at)).toThrow(
      "(sample 20, field 'x'): expected a number",
    );
    expect(() => collate([{ x: f(1) }, { x: 1 }] as unknown[], at)).toThrow(
      "(sample 20, field 'x'): expected an array",
    );
    expect(() => collate([{ x: null }] as unknown[])).toThrow("field 'x'");
    expect(() => collate([[1, 2]] as unknown[])).toThrow('sample 0');
    expect(() => collate([null] as unknown[])).toThrow(ArgumentError);
    expect(() => collate([{ x: { data: f(2), shape: [3] } }])).toThrow('3 elements for shape [3]');
    expect(() => collate([])).toThrow('at least one sample');
    const tensor = tf.zeros([2]);
    expect(() => collate([tensor] as unknown[])).toThrow(ArgumentError);
    tensor.dispose();
  });

  it('checks host arrays when they are made', () => {
    expect(() => hostArray(new Float32Array(3), [2])).toThrow(
      'hostArray(shape): expected a shape of 3 elements',
    );
    expect(() => hostArray(new Float32Array(2), [2], [0, 1])).toThrow('not bytes');
    expect(() => hostArray(new Uint8Array(2), [2], [1, 0])).toThrow('min < max');
    expect(() => hostArray(new BigInt64Array(2) as never, [2])).toThrow('hostArray(data)');
  });
});

import { fromHost, type HostInputRecorder, setHostInputRecorder } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it } from 'vitest';

describe('fromHost', () => {
  afterEach(() => {
    setHostInputRecorder(null);
  });

  it('makes the tensor now, once', () => {
    let calls = 0;
    const x = fromHost(
      () => {
        calls += 1;
        return Float32Array.of(1, 2, 3, 4);
      },
      [2, 2],
      'float32',
    );
    expect([calls, x.shape, x.dtype, ...x.dataSync()]).toEqual([1, [2, 2], 'float32', 1, 2, 3, 4]);
    x.dispose();
  });

  it('leaves the making to a recorder', () => {
    const seen: Parameters<HostInputRecorder>[] = [];
    const recorder: HostInputRecorder = (...args) => {
      seen.push(args);
      return tf.tensor(args[0](), [...args[1]], args[2]);
    };
    expect(setHostInputRecorder(recorder)).toBeNull();
    const make = () => Int32Array.of(7);
    const x = fromHost(make, [1], 'int32');
    expect(setHostInputRecorder(null)).toBe(recorder);
    fromHost(make, [1], 'int32').dispose();
    expect(seen).toEqual([[make, [1], 'int32']]);
    expect([...x.dataSync()]).toEqual([7]);
    x.dispose();
  });

  it('lets no gradient through', () => {
    const w = tf.scalar(3);
    const g = tf.tidy(() =>
      tf.grad((v) =>
        tf.mul(
          v,
          fromHost(() => Float32Array.of(5), [], 'float32'),
        ),
      )(w),
    );
    expect(g.dataSync()[0]).toBe(5);
    tf.dispose([w, g]);
  });
});

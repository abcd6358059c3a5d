import { expectNoLeak } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { expectNative } from './agree';
import { numbers } from './on-cpu';

const complex = (shape: number[], seed = 1) => tf.complex(numbers(shape, seed), numbers(shape, seed + 7));
/** Both parts in one real tensor, as comparisons are of real ones. */
const parts = (x: tf.Tensor) => tf.stack([tf.real(x), tf.imag(x)]);

describe('complex tensors agree with the cpu backend', () => {
  it('in arithmetic', () => {
    const [a, b] = [() => complex([2, 3]), () => complex([2, 3], 2)];
    expectNative(() => parts(tf.add(a(), b())));
    expectNative(() => parts(tf.sub(a(), b())));
    expectNative(() => parts(tf.mul(a(), b())));
    expectNative(() => tf.abs(a()), 1e-5);
  });

  // tfjs cpu has no complex form of these: what they do to a complex tensor they do to its parts.
  it.each<[string, (x: tf.Tensor) => tf.Tensor]>([
    ['slice', (x) => tf.slice(x, [1, 0], [2, 2])],
    ['strided slice', (x) => tf.stridedSlice(x, [0, 0], [4, 3], [2, 1])],
    ['concat', (x) => tf.concat([x, x])],
    ['transpose', (x) => tf.transpose(x)],
    ['split', (x) => tf.split(x, 2)[1]!],
    ['unstack', (x) => tf.unstack(x)[2]!],
    ['stack', (x) => tf.stack([x, x], 1)],
    ['gather', (x) => tf.gather(x, tf.tensor1d([2, 0], 'int32'))],
    [
      'pad',
      (x) =>
        tf.pad(x, [
          [1, 0],
          [0, 2],
        ]),
    ],
    ['reverse', (x) => tf.reverse(x, 0)],
    ['tile', (x) => tf.tile(x, [2, 1])],
    ['reshape', (x) => tf.reshape(x, [2, 6])],
    ['sum', (x) => tf.sum(x, 0)],
    ['negative', (x) => tf.neg(x)],
  ])('%s', (_, move) => {
    const [re, im] = [numbers([4, 3], 1), numbers([4, 3], 8)];
    const expected = tf.stack([move(re), move(im)]);
    expect(parts(move(tf.complex(re, im)))).toBeAllClose(expected, 0);
  });
});

describe('Fourier transforms agree with the cpu backend', () => {
  it.each([1, 2, 5, 16, 100, 300, 512])('of %i numbers', (n) => {
    expectNative(() => parts(tf.spectral.fft(complex([3, n]))), 1e-4);
    expectNative(() => parts(tf.spectral.ifft(complex([3, n]))), 1e-4);
  });

  it('of real signals, and back', () => {
    expectNative(() => parts(tf.spectral.rfft(numbers([2, 16]))), 1e-5);
    expectNative(() => tf.spectral.irfft(tf.spectral.rfft(numbers([2, 16]))), 1e-5);
    expectNative(() => tf.abs(tf.signal.stft(numbers([40]) as tf.Tensor1D, 16, 8)), 1e-4);
  });

  it('leave nothing behind', async () => {
    await expectNoLeak(() => tf.tidy(() => void tf.abs(tf.spectral.fft(complex([2, 4]))).dataSync()));
  });
});

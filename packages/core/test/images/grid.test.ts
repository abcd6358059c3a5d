import { expectNoLeak } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { imageGrid } from '../../src/images';

describe('imageGrid', () => {
  it('lays pictures out row by row', async () => {
    const images = tf.tensor4d([-1, 1, 0, -0.5, 0.5, 9], [3, 1, 2, 1]);
    const grid = await imageGrid(images, { columns: 2, padding: 1, background: 7 });
    expect([grid.width, grid.height, grid.channels]).toEqual([7, 5, 1]);
    expect([...grid.data]).toEqual(
      [
        [7, 7, 7, 7, 7, 7, 7],
        [7, 0, 255, 7, 128, 64, 7],
        [7, 7, 7, 7, 7, 7, 7],
        [7, 191, 255, 7, 7, 7, 7],
        [7, 7, 7, 7, 7, 7, 7],
      ].flat(),
    );
  });

  it('is about square, with two pixels between, in every range and number of channels', async () => {
    for (const channels of [1, 2, 3, 4]) {
      const grid = await imageGrid(tf.ones([10, 4, 5, channels]), { range: [0, 2] });
      expect([grid.width, grid.height, grid.channels]).toEqual([4 * 7 + 2, 3 * 6 + 2, channels]);
      expect(grid.data[(2 * grid.width + 2) * channels]).toBe(128);
    }
  });

  it('clips and makes NaN black', async () => {
    const grid = await imageGrid(tf.tensor4d([Number.NaN, -7, 7, Number.POSITIVE_INFINITY], [1, 2, 2, 1]), {
      padding: 0,
    });
    expect([...grid.data]).toEqual([0, 0, 255, 255]);
  });

  it('takes what it is given, unless told to keep it', async () => {
    await expectNoLeak(() => imageGrid(tf.zeros([2, 2, 2, 1])));
    const kept = tf.zeros([2, 2, 2, 1]);
    await imageGrid(kept, { keep: true });
    expect(kept.isDisposed).toBe(false);
    kept.dispose();
  });

  it('names wrong arguments and leaves the images alone then', async () => {
    const images = tf.zeros([2, 2, 2, 1]);
    const flat = tf.zeros([2, 4]);
    await expect(imageGrid(flat)).rejects.toThrow(
      'imageGrid(images): expected [count, height, width, channels]',
    );
    await expect(imageGrid(images, { columns: 0 })).rejects.toThrow('options.columns');
    await expect(imageGrid(images, { padding: -1 })).rejects.toThrow('options.padding');
    await expect(imageGrid(images, { range: [1, 1] })).rejects.toThrow('options.range');
    await expect(imageGrid(images, { background: 256 })).rejects.toThrow('options.background');
    expect([images.isDisposed, flat.isDisposed]).toEqual([false, false]);
    tf.dispose([images, flat]);
  });
});

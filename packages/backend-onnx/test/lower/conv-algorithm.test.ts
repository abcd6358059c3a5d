import { describe, expect, it } from 'vitest';
import { algorithmOf } from '../../src/lower/conv-algorithm';
import type { ConvGeometry } from '../../src/lower/im2col';

/** Square images and kernels. */
function square(
  [batch, size, channels]: [number, number, number],
  [kernel, stride, pad, outChannels]: [number, number, number, number],
  dilation = 1,
): ConvGeometry {
  const out = Math.floor((size + 2 * pad - dilation * (kernel - 1) - 1) / stride) + 1;
  return {
    batch,
    height: size,
    width: size,
    channels,
    outHeight: out,
    outWidth: out,
    outChannels,
    kernelHeight: kernel,
    kernelWidth: kernel,
    strideHeight: stride,
    strideWidth: stride,
    dilationHeight: dilation,
    dilationWidth: dilation,
    padTop: pad,
    padLeft: pad,
  };
}

const chosen = (g: ConvGeometry) => {
  const algorithm = algorithmOf(g);
  return typeof algorithm === 'string' ? algorithm : `winograd ${algorithm.y.transform.outputs}`;
};

describe('algorithmOf', () => {
  it.each([
    ['pointwise', square([8, 16, 64], [1, 1, 0, 128]), 'product'],
    ['the whole image', square([64, 4, 256], [4, 1, 0, 1]), 'product'],
    ['a pointwise one that skips pixels', square([8, 16, 64], [1, 2, 0, 128]), 'columns'],
    ['DCGAN, 16² to 8²', square([64, 16, 64], [4, 2, 1, 128]), 'winograd 4'],
    ['DCGAN, 8² to 4²', square([64, 8, 128], [4, 2, 1, 256]), 'winograd 4'],
    ['DCGAN of 28², 14² to 7²', square([64, 14, 64], [4, 2, 1, 128]), 'winograd 4'],
    ['DCGAN, from one channel', square([64, 32, 1], [4, 2, 1, 64]), 'columns'],
    ['k3 s1, many channels', square([16, 28, 128], [3, 1, 1, 128]), 'winograd 4'],
    ['k3 s1 from three channels', square([16, 32, 3], [3, 1, 1, 16]), 'columns'],
    ['k3 s2', square([16, 32, 64], [3, 2, 1, 128]), 'columns'],
    ['dilated', square([16, 32, 64], [3, 1, 2, 64], 2), 'columns'],
    ['too small to gain', square([1, 4, 4], [3, 1, 1, 4]), 'columns'],
  ])('%s', (_, g, expected) => {
    expect(chosen(g)).toBe(expected);
  });
});

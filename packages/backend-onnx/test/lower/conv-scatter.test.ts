import { expect, it } from 'vitest';
import { scatters } from '../../src/lower/conv-algorithm';
import { scatterInputGradient } from '../../src/lower/conv-scatter';
import type { ConvGeometry } from '../../src/lower/im2col';
import { expectClose, geometryOf, inputsOf, reference, runLowered } from './convolution';

const cases: [string, ConvGeometry][] = [
  ['k4 s2 to one channel', geometryOf({ kernel: 4, stride: 2, pad: 1, channels: 1 })],
  ['k4 s2 to three', geometryOf({ kernel: 4, stride: 2, pad: 1, height: 9, width: 15 })],
  ['k5 s1', geometryOf({ kernel: 5, stride: 1, pad: 2, channels: 1, height: 7, width: 6 })],
  ['k3 s2, odd', geometryOf({ kernel: 3, stride: 2, pad: 0, height: 8, width: 9, channels: 2 })],
  ['k2 s3, pixels that no window reads', geometryOf({ kernel: 2, stride: 3, pad: 0, height: 8, width: 9 })],
  [
    'dilation along one axis',
    { ...geometryOf({ kernel: 3, stride: 1, pad: 0, height: 7, width: 8 }), dilationHeight: 2, outHeight: 3 },
  ],
];

it.each(cases)('scatters a gradient: %s', (_, g) => {
  const inputs = inputsOf(g);
  const received = runLowered(g, inputs, (c) => ({ dx: scatterInputGradient(c, 'dy', 'w', g) }));
  expectClose(received, reference(g, inputs), 1e-6);
});

it('does so for few channels', () => {
  const generator = { kernel: 4, stride: 2, pad: 1, batch: 64, height: 32, width: 32, outChannels: 64 };
  expect(scatters(geometryOf({ ...generator, channels: 1 }))).toBe(true);
  expect(scatters(geometryOf({ ...generator, channels: 64 }))).toBe(false);
});

import { checkArgument } from '@poiesis/core';

/** Sizes of the pictures that a DCGAN is defined for. */
export type DCGANSize = 28 | 32 | 64;

export interface DCGANConfig {
  /** Pictures are squares of this many pixels. MNIST's 28 is a size of its own; padded to 32 it fits the common one. */
  readonly size: DCGANSize;
  /** Channels of the pictures: 1 grey, 3 colour. */
  readonly channels: number;
  /** Numbers that a picture is made from. Default 100. */
  readonly latent?: number;
  /** Features of the layer next to the picture; each layer further in has twice as many. Default 64. */
  readonly width?: number;
}

/** One layer of the pyramid between 1×1 and the picture, as the generator passes it; the discriminator's are reversed. */
export interface Stage {
  readonly kernelSize: number;
  readonly stride: number;
  readonly padding: number;
}

/** Kernel sizes from 1×1 up. The first layer opens it to 4×4, each further one doubles it: but for 28 = 2·14, 14 = 2·7
 * and 7 = 2·4 − 1, which a kernel one smaller gives. */
const kernels: Readonly<Record<DCGANSize, readonly number[]>> = {
  28: [4, 3, 4, 4],
  32: [4, 4, 4, 4],
  64: [4, 4, 4, 4, 4],
};

export function checkConfig(config: DCGANConfig): Required<DCGANConfig> {
  const given = typeof config === 'object' && config !== null;
  checkArgument(given, 'DCGAN', 'config', 'a record with size and channels', config);
  const { size, channels, latent = 100, width = 64 } = config;
  const known = typeof size === 'number' && Object.hasOwn(kernels, size);
  checkArgument(known, 'DCGAN', 'config.size', '28, 32 or 64', size);
  for (const [name, value] of Object.entries({ channels, latent, width })) {
    const count = Number.isSafeInteger(value) && value >= 1;
    checkArgument(count, 'DCGAN', `config.${name}`, 'an integer ≥ 1', value);
  }
  return { size, channels, latent, width };
}

export function stagesOf(size: DCGANSize): Stage[] {
  return kernels[size].map((kernelSize, i) => ({ kernelSize, stride: i ? 2 : 1, padding: i ? 1 : 0 }));
}

/** Features between the stages, from the latent side to the picture's: 4·width, 2·width, width for three of them. */
export function featuresOf({ size, width }: Required<DCGANConfig>): number[] {
  const between = kernels[size].length - 1;
  return Array.from({ length: between }, (_, i) => width * 2 ** (between - 1 - i));
}

/** Output size of a transposed convolution, and of the convolution that undoes it. */
export const grown = (n: number, { kernelSize, stride, padding }: Stage) =>
  (n - 1) * stride - 2 * padding + kernelSize;
export const shrunk = (n: number, { kernelSize, stride, padding }: Stage) =>
  Math.floor((n + 2 * padding - kernelSize) / stride) + 1;

/** Demands that a network built of these stages ends where it should. What circulates as "28×28" makes 32×32. */
export function assertSize(network: string, actual: number, expected: number): void {
  checkArgument(actual === expected, network, 'config.size', `layers that end at ${expected} pixels`, actual);
}

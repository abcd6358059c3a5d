import type { LowerContext } from './context';
import type { ConvGeometry } from './im2col';

/**
 * The input gradient (or transposed convolution) to few channels, such as the last layer of a generator: one product
 * gives what each output position adds to each tap, and two products with matrices of zeros and ones add it up where
 * taps fall on the same pixel, first along x, then along y. Nothing is gathered.
 */
export function scatterInputGradient(c: LowerContext, dy: string, filter: string, g: ConvGeometry): string {
  const { batch, height, width, channels, outHeight, outWidth, outChannels, kernelHeight, kernelWidth } = g;
  const rows = c.reshape(dy, [batch * outHeight * outWidth, outChannels]);
  const taps = c.reshape(filter, [kernelHeight * kernelWidth * channels, outChannels]);
  const added = c.reshape(c.matmul(rows, taps, { transB: true }), [
    batch * outHeight,
    outWidth * kernelHeight * kernelWidth * channels,
  ]);
  const key = Object.values(g).join();
  const alongX = c.g.constantOnce(`scatter-x:${key}`, 'float32', () => ({
    dims: [outWidth * kernelHeight * kernelWidth * channels, kernelHeight * width * channels],
    values: scatterX(g),
  }));
  const lines = c.reshape(c.matmul(added, alongX), [batch, outHeight * kernelHeight, width * channels]);
  const alongY = c.g.constantOnce(`scatter-y:${key}`, 'float32', () => ({
    dims: [height, outHeight * kernelHeight],
    values: scatterY(g),
  }));
  return c.matmul(alongY, lines);
}

/** `(position, ky, kx, channel)` to `(ky, x, channel)`. */
function scatterX(g: ConvGeometry): Float32Array {
  const { width, channels, outWidth, kernelHeight, kernelWidth } = g;
  const columns = kernelHeight * width * channels;
  const matrix = new Float32Array(outWidth * kernelHeight * kernelWidth * channels * columns);
  let row = 0;
  for (let j = 0; j < outWidth; j++)
    for (let ky = 0; ky < kernelHeight; ky++)
      for (let kx = 0; kx < kernelWidth; kx++) {
        const x = j * g.strideWidth + kx * g.dilationWidth - g.padLeft;
        for (let ch = 0; ch < channels; ch++, row++)
          if (x >= 0 && x < width) matrix[row * columns + (ky * width + x) * channels + ch] = 1;
      }
  return matrix;
}

/** `(position, ky)` to y. */
function scatterY(g: ConvGeometry): Float32Array {
  const columns = g.outHeight * g.kernelHeight;
  const matrix = new Float32Array(g.height * columns);
  for (let i = 0; i < g.outHeight; i++)
    for (let ky = 0; ky < g.kernelHeight; ky++) {
      const y = i * g.strideHeight + ky * g.dilationHeight - g.padTop;
      if (y >= 0 && y < g.height) matrix[y * columns + i * g.kernelHeight + ky] = 1;
    }
  return matrix;
}

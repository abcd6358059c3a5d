import { checkArgument } from '@poiesis/core';
import type { ResolvedImageTower } from '../config';

/** Rows and columns of patches. */
export type Grid = readonly [rows: number, columns: number];

export interface ResizePositionsOptions {
  readonly from: Grid;
  readonly to: Grid;
  /**
   * Widens the filter where the grid shrinks, as open_clip does, with the cubic that PIL has (a = −½). Without, that of
   * `interpolate_pos_encoding` in Hugging Face's models (a = −¾). Default true.
   */
  readonly antialias?: boolean;
}

/**
 * Position embeddings for another number of patches, by bicubic interpolation of the grid that they are:
 * `torch.nn.functional.interpolate(mode='bicubic', align_corners=False)`.
 *
 * @param table `[extra + rows · columns, dim]` row by row; rows before the grid (the class token's) stay as they are.
 * @returns `[extra + newRows · newColumns, dim]`.
 */
export function resizePositions(
  table: Float32Array,
  dim: number,
  { from, to, antialias = true }: ResizePositionsOptions,
): Float32Array {
  const fn = 'resizePositions';
  for (const side of [...from, ...to]) {
    const ok = Number.isInteger(side) && side >= 1;
    checkArgument(ok, fn, 'options', 'grids of integers ≥ 1', [...from, ...to]);
  }
  const extra = table.length / dim - from[0] * from[1];
  const fits = Number.isInteger(extra) && extra >= 0;
  const rows = `at least ${from[0] * from[1]} rows of ${dim}`;
  checkArgument(fits, fn, 'table', rows, `${table.length} numbers`);
  const tall = cubicWeights(from[0], to[0], antialias);
  const wide = cubicWeights(from[1], to[1], antialias);
  const grid = table.subarray(extra * dim);
  const resized = new Float32Array(extra * dim + to[0] * to[1] * dim);
  resized.set(table.subarray(0, extra * dim));
  const sums = new Float64Array(dim);
  for (let row = 0; row < to[0]; row++) {
    for (let column = 0; column < to[1]; column++) {
      sums.fill(0);
      for (const [y, down] of tall[row]!) {
        for (const [x, across] of wide[column]!) {
          const at = (y * from[1] + x) * dim;
          for (let i = 0; i < dim; i++) sums[i]! += down * across * grid[at + i]!;
        }
      }
      resized.set(sums, (extra + row * to[1] + column) * dim);
    }
  }
  return resized;
}

/** The patches of a tower's pictures. */
export function gridOf({ imageSize, patchSize }: Pick<ResolvedImageTower, 'imageSize' | 'patchSize'>): Grid {
  return [Math.floor(imageSize[0] / patchSize), Math.floor(imageSize[1] / patchSize)];
}

export function patchCount(config: ResolvedImageTower): number {
  const [rows, columns] = gridOf(config);
  return rows * columns;
}

/** Of each new place, the old places that it is made of and their weights, which add up to 1. */
function cubicWeights(from: number, to: number, antialias: boolean): [place: number, weight: number][][] {
  const scale = from / to;
  return Array.from({ length: to }, (_, i) => {
    const center = scale * (i + 0.5); // in pixels whose middles are at ½
    if (!antialias) {
      const first = Math.floor(center - 0.5);
      return [-1, 0, 1, 2].map((offset) => {
        const place = Math.min(Math.max(first + offset, 0), from - 1);
        return [place, cubic(center - 0.5 - (first + offset), -0.75)];
      });
    }
    const stretch = Math.max(scale, 1);
    const begin = Math.max(Math.trunc(center - 2 * stretch + 0.5), 0);
    const end = Math.min(Math.trunc(center + 2 * stretch + 0.5), from);
    const places = Array.from({ length: end - begin }, (_, j) => begin + j);
    const weights = places.map((place) => cubic((place + 0.5 - center) / stretch, -0.5));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return places.map((place, j) => [place, weights[j]! / sum]);
  });
}

/** The cubic convolution kernel of Keys (1981). */
function cubic(distance: number, a: number): number {
  const x = Math.abs(distance);
  if (x >= 2) return 0;
  return x <= 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : a * (((x - 5) * x + 8) * x - 4);
}

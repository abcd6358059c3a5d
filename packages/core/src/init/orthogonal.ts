import { checkArgument } from '../errors';
import { hostNormal } from '../random';
import { draw, type Initializer } from './initializer';

/**
 * Orthonormal rows or columns, whichever are fewer, times `gain` (Saxe et al. 2013), as
 * `torch.nn.init.orthogonal_`. The matrix has the last axis in memory as its columns and all other axes as its rows;
 * for every weight layout here that is PyTorch's matrix or its transpose.
 */
export function orthogonal({ gain = 1 }: { gain?: number } = {}): Initializer {
  return (key, shape) => {
    checkArgument(shape.length >= 2, 'orthogonal', 'shape', 'at least two axes', [...shape]);
    return draw(shape, (n) => {
      const columns = shape.at(-1)!;
      const rows = n / columns;
      const q = orthonormal(hostNormal(key, n), Math.min(rows, columns), Math.max(rows, columns));
      const values = new Float32Array(n);
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < columns; j++) {
          values[i * columns + j] = gain * (rows < columns ? q[i * columns + j]! : q[j * rows + i]!);
        }
      }
      return values;
    });
  };
}

/** Orthonormalizes `count` random vectors of `length`; uniform over all such sets (the Haar measure). */
function orthonormal(random: Float32Array, count: number, length: number): Float64Array {
  const q = Float64Array.from(random);
  for (let i = 0; i < count; i++) {
    const v = q.subarray(i * length, (i + 1) * length);
    // Gram-Schmidt, twice: one pass loses orthogonality where vectors are nearly parallel (Kahan and Parlett).
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < i; j++) {
        const u = q.subarray(j * length, (j + 1) * length);
        let dot = 0;
        for (let k = 0; k < length; k++) dot += u[k]! * v[k]!;
        for (let k = 0; k < length; k++) v[k] = v[k]! - dot * u[k]!;
      }
    }
    let squares = 0;
    for (let k = 0; k < length; k++) squares += v[k]! * v[k]!;
    const norm = Math.sqrt(squares);
    for (let k = 0; k < length; k++) v[k] = v[k]! / norm;
  }
  return q;
}

import type { NumberArray } from './convert';

/** Permutation that undoes `permute`. */
export function inversePermutation(permute: readonly number[]): number[] {
  const inverse = new Array<number>(permute.length);
  permute.forEach((from, to) => {
    inverse[from] = to;
  });
  return inverse;
}

/** `result axis i is axis permute[i]`, row-major, into a new array. */
export function transposeHost<T extends NumberArray>(
  values: T,
  shape: readonly number[],
  permute: readonly number[],
): T {
  const rank = shape.length;
  const strides = new Array<number>(rank).fill(1);
  for (let i = rank - 2; i >= 0; i--) strides[i] = strides[i + 1]! * shape[i + 1]!;
  const sizes = permute.map((axis) => shape[axis]!);
  const steps = permute.map((axis) => strides[axis]!);

  const out = new (values.constructor as { new (length: number): T })(values.length);
  const inner = sizes[rank - 1] ?? 1;
  const innerStep = steps[rank - 1] ?? 1;
  const index = new Array<number>(rank).fill(0);
  let from = 0;
  for (let to = 0; to < out.length; to += inner) {
    for (let i = 0, at = from; i < inner; i++, at += innerStep) out[to + i] = values[at]!;
    // Next row: an odometer over all axes but the last.
    for (let axis = rank - 2; axis >= 0; axis--) {
      from += steps[axis]!;
      if (++index[axis]! < sizes[axis]!) break;
      from -= steps[axis]! * sizes[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}

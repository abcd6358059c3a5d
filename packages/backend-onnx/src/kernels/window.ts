import { sameShape, sizeOf, Value } from '../trace/graph';
import type { KernelCall } from './register';

/** Begins that are compiled in, for slices of one shape from one shape. */
const MOST_BEGINS = 8;
const begins = new Map<string, Set<string>>();

/**
 * A block of a tensor. Where it begins is part of a program, so that a loop over the batches of a data set would compile
 * one program for each batch; hence
 * - consecutive elements of known data are a tensor of their own at once, without a copy. Not while a step is being
 *   recorded, which would take them for a constant;
 * - a block that has begun at many places is fed where it begins.
 */
export function slice(call: KernelCall, x: Value, begin: readonly number[], size: readonly number[]): Value {
  if (sameShape(x.shape, size)) return call.record('Identity', [x], {}, size, x.dtype);
  const start = startOf(x.shape, begin, size);
  if (start !== undefined && x.data && !x.mutable && !call.backend.recording) {
    return Value.leaf(x.data.subarray(start, start + sizeOf(size)) as Float32Array, size, x.dtype);
  }
  if (movesAround(`${x.dtype}${x.shape}:${size}`, begin.join())) {
    const from = Value.leaf(Int32Array.from(begin), [begin.length], 'int32');
    return call.record('SliceFrom', [x, from], {}, size, x.dtype);
  }
  return call.record('Slice', [x], { begin }, size, x.dtype);
}

/** Position of the first element, where the elements follow each other. */
function startOf(
  shape: readonly number[],
  begin: readonly number[],
  size: readonly number[],
): number | undefined {
  let start = 0;
  let stride = 1;
  let whole = true;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (!whole && size[i] !== 1) return undefined;
    whole &&= size[i] === shape[i];
    start += begin[i]! * stride;
    stride *= shape[i]!;
  }
  return start;
}

function movesAround(kind: string, begin: string): boolean {
  let seen = begins.get(kind);
  if (!seen) {
    if (begins.size >= 1000) begins.clear();
    seen = new Set();
    begins.set(kind, seen);
  }
  if (seen.size <= MOST_BEGINS) seen.add(begin);
  return seen.size > MOST_BEGINS;
}

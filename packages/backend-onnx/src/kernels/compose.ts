import { sizeOf, type Value } from '../trace/graph';
import { castValue } from './elementwise';
import type { KernelCall } from './register';

/* Operations of which kernels are composed. They record nothing where nothing would happen. */

export function transpose(call: KernelCall, x: Value, perm: readonly number[]): Value {
  if (perm.every((p, i) => p === i)) return x;
  const shape = perm.map((p) => x.shape[p]!);
  return call.record('Transpose', [x], { perm: [...perm] }, shape, x.dtype);
}

export function slice(call: KernelCall, x: Value, begin: readonly number[], size: readonly number[]): Value {
  if (size.every((n, i) => n === x.shape[i])) return x;
  return call.record('Slice', [x], { begin: [...begin] }, size, x.dtype);
}

/** Zeros around `x`. */
export function pad(call: KernelCall, x: Value, paddings: ReadonlyArray<readonly [number, number]>): Value {
  if (paddings.every(([before, after]) => before === 0 && after === 0)) return x;
  const shape = x.shape.map((d, i) => d + paddings[i]![0] + paddings[i]![1]);
  const pads = [...paddings.map((p) => p[0]), ...paddings.map((p) => p[1])];
  // The runtime pads no booleans.
  const via = castValue(x, x.dtype === 'bool' ? 'int32' : x.dtype);
  return castValue(call.record('Pad', [via], { pads, value: 0 }, shape, via.dtype), x.dtype);
}

export function add(call: KernelCall, a: Value, b: Value): Value {
  return call.record('Add', [a, b], {}, wider(a, b), a.dtype);
}

export function mul(call: KernelCall, a: Value, b: Value): Value {
  return call.record('Mul', [a, b], {}, wider(a, b), a.dtype);
}

export function sub(call: KernelCall, a: Value, b: Value): Value {
  return call.record('Sub', [a, b], {}, wider(a, b), a.dtype);
}

/** Shape of a broadcast between operands that are known to fit. */
function wider(a: Value, b: Value): number[] {
  const rank = Math.max(a.shape.length, b.shape.length);
  const at = (v: Value, i: number) => v.shape[v.shape.length - rank + i] ?? 1;
  return Array.from({ length: rank }, (_, i) => (at(a, i) === 1 ? at(b, i) : at(a, i)));
}

export function sum(call: KernelCall, x: Value, axes: readonly number[]): Value {
  if (axes.length === 0) return x;
  const shape = x.shape.filter((_, i) => !axes.includes(i));
  return call.record('Sum', [x], { axes: [...axes] }, shape, x.dtype);
}

/** `[…, m, k] × […, k, n]`, with equal leading axes. */
export function product(call: KernelCall, a: Value, b: Value, transA = false, transB = false): Value {
  const [m, n] = [a.shape.at(transA ? -1 : -2)!, b.shape.at(transB ? -2 : -1)!];
  const batch = a.shape.slice(0, -2);
  // A leading batch of one would keep the runtime from its fastest path.
  const flat = sizeOf(batch) === 1;
  const inputs = flat ? [a.reshaped(a.shape.slice(-2)), b.reshaped(b.shape.slice(-2))] : [a, b];
  const shape = flat ? [m, n] : [...batch, m, n];
  return call.record('MatMul', inputs, { transA, transB }, shape, a.dtype).reshaped([...batch, m, n]);
}

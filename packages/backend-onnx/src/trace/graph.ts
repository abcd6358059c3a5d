import type { DataType } from '@tensorflow/tfjs-core';
import type { RuntimeTensor, TensorData } from '../runtime/session';
import { Hash } from './hash';

/** Types that a graph computes with. Strings and complex numbers stay on the host. */
export type ValueType = 'float32' | 'int32' | 'bool';

export type AttrValue = number | string | boolean | readonly number[];
export type Attrs = Readonly<Record<string, AttrValue>>;

/** One tensor of the traced program: known data (a leaf) or the output of an operation that has not run yet. */
export class Value {
  /** The operation that will compute it; null once `data` is there. */
  op: Op | null = null;
  /** Which output of `op`. */
  index = 0;
  data: TensorData | null = null;
  /** The data as a session takes it, once it has been fed. */
  feed: RuntimeTensor | undefined;
  /** The data is changed in place by compiled steps. */
  mutable = false;
  /** Another number after every time that a session or an update has changed `data` in place. */
  version = 0;
  /** Why it could not be computed. */
  failure: Error | undefined;
  /** The value of every element, where they are all the same and known when the tensor was made. */
  splat: number | undefined;
  /** The same elements under other shapes, so that repeated reshapes record one operation. */
  private views: Map<string, Value> | undefined;
  private viewed: Value | undefined;
  /** Scratch of `traceOf`, as an operation's. */
  trace = 0;
  number = 0;

  constructor(
    readonly shape: readonly number[],
    readonly dtype: ValueType,
  ) {}

  /** The value that this one is a view of, under the shape in which it was made. */
  get base(): Value {
    return this.viewed ?? this;
  }

  static leaf(data: TensorData, shape: readonly number[], dtype: ValueType): Value {
    const value = new Value(shape, dtype);
    value.data = data;
    value.splat = splatOf(data);
    return value;
  }

  /** Makes a pending value a leaf. */
  settle(data: TensorData): void {
    this.data = data;
    this.op = null;
  }

  /** Gives up on a pending value. */
  fail(failure: Error): void {
    this.failure = failure;
    this.op = null;
  }

  get hasViews(): boolean {
    return this.views !== undefined;
  }

  /** Before somebody changes the data in place: whoever has it, under this shape or another, has a copy from now on. */
  detach(): void {
    const { data } = this;
    if (!data) return;
    const copy = data.slice();
    for (const view of this.views?.values() ?? []) {
      if (view.data !== data) continue;
      view.data = copy;
      view.feed = undefined;
      view.viewed = undefined;
    }
    this.views = undefined;
    this.data = copy;
    this.feed = undefined;
    this.mutable = false;
  }

  /** This value under another shape of the same size. */
  reshaped(shape: readonly number[]): Value {
    if (sameShape(shape, this.shape)) return this;
    const key = shape.join();
    const known = this.views?.get(key);
    if (known) {
      if (this.data) {
        if (!known.data) known.settle(this.data);
        known.viewed = this.base;
      }
      if (known.data || known.op) return known;
    }
    let view: Value;
    if (this.data) {
      view = new Value(shape, this.dtype);
      view.data = this.data;
      view.splat = this.splat;
      view.viewed = this.base;
    } else {
      view = record('Reshape', 'Reshape', [this], { shape }, shape, this.dtype);
    }
    this.views ??= new Map();
    this.views.set(key, view);
    return view;
  }
}

/** One recorded operation of the small intermediate language (see `lower/`). */
export class Op {
  private static nextSequence = 0;
  /** Order of recording, which is a topological order. */
  readonly sequence = Op.nextSequence++;
  readonly outputs: Value[] = [];
  /** Of type, attributes and outputs, but not of the inputs: two halves of a `Hash`. */
  hashA = 0;
  hashB = 0;
  /** Scratch of `traceOf`: the trace that numbered this operation last, and the number of its first output. */
  trace = 0;
  number = 0;

  constructor(
    /** Operator of the intermediate language. */
    readonly type: string,
    /** tfjs kernel that recorded it, for error messages and profiles. */
    readonly origin: string,
    readonly inputs: readonly Value[],
    readonly attrs: Attrs,
  ) {}

  /** How many operations have been recorded so far. */
  static get recorded(): number {
    return Op.nextSequence;
  }
}

const hash = new Hash();

/** Records an operation with one output. */
export function record(
  type: string,
  origin: string,
  inputs: readonly Value[],
  attrs: Attrs,
  shape: readonly number[],
  dtype: ValueType,
): Value {
  return recordN(type, origin, inputs, attrs, [{ shape, dtype }])[0]!;
}

/** Records an operation with several outputs. */
export function recordN(
  type: string,
  origin: string,
  inputs: readonly Value[],
  attrs: Attrs,
  outputs: ReadonlyArray<{ shape: readonly number[]; dtype: ValueType }>,
): Value[] {
  const op = new Op(type, origin, inputs, attrs);
  hash.reset().string(type);
  hash.attrs(attrs);
  outputs.forEach(({ shape, dtype }, index) => {
    const value = new Value(shape, dtype);
    value.op = op;
    value.index = index;
    op.outputs.push(value);
    hash.string(dtype);
    hash.ints(shape);
  });
  op.hashA = hash.a;
  op.hashB = hash.b;
  return op.outputs;
}

export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (const d of shape) size *= d;
  return size;
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

export function valueType(dtype: DataType): ValueType | undefined {
  return dtype === 'float32' || dtype === 'int32' || dtype === 'bool' ? dtype : undefined;
}

/** Two probes reject almost every tensor that is not uniform before anything is scanned. */
export function splatOf(data: TensorData): number | undefined {
  const n = data.length;
  if (n === 0) return undefined;
  const first = data[0] as number;
  if (data[n - 1] !== first || data[n >> 1] !== first) return undefined;
  for (let i = 1; i < n; i++) if (data[i] !== first) return undefined;
  return first;
}

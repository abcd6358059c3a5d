import type { GraphBuilder } from '../onnx/graph-builder';
import { type Attribute, ONNX_TYPE, type OnnxDType } from '../onnx/types';
import type { GraphNode, GraphValue } from '../passes/ir';
import type { TensorData } from '../runtime/session';
import { type Attrs, type AttrValue, sizeOf, type ValueType } from '../trace/graph';

/** Writes one intermediate operation as ONNX nodes and returns the names of its outputs. */
export type Lowering = (c: LowerContext) => string | readonly string[];

/** What a lowering sees: its node, the names of its inputs, and the builder to write to. */
export class LowerContext {
  constructor(
    readonly g: GraphBuilder,
    readonly node: GraphNode,
    private readonly nameOf: (value: GraphValue, operand: number) => string,
  ) {}

  /** Name of input `i` in its full shape. */
  in(i: number): string {
    return this.nameOf(this.node.inputs[i]!, i);
  }

  /** Elements of input `i`, where they are known at compile time. Not to be changed. */
  constant(i: number): TensorData | undefined {
    return this.node.inputs[i]!.data;
  }

  /** Name of input `i`, or of a scalar that broadcasts to it, where it is a constant. */
  broadcast(i: number): string {
    const { splat, dtype } = this.node.inputs[i]!;
    return splat === undefined ? this.in(i) : this.g.scalar(splat, dtype);
  }

  splat(i: number): number | undefined {
    return this.node.inputs[i]!.splat;
  }

  shape(i: number): readonly number[] {
    return this.node.inputs[i]!.shape;
  }

  dtype(i: number): ValueType {
    return this.node.inputs[i]!.dtype;
  }

  get arity(): number {
    return this.node.inputs.length;
  }

  get out(): { shape: readonly number[]; dtype: ValueType } {
    return this.node.outputs[0]!;
  }

  get attrs(): Attrs {
    return this.node.attrs;
  }

  number(name: string): number {
    return this.typed(name, 'number');
  }

  boolean(name: string): boolean {
    return this.typed(name, 'boolean');
  }

  string(name: string): string {
    return this.typed(name, 'string');
  }

  numbers(name: string): readonly number[] {
    const value = this.node.attrs[name];
    if (!Array.isArray(value)) throw new Error(`${this.node.type}: attribute ${name} is not a list`);
    return value;
  }

  op(
    type: string,
    inputs: readonly string[],
    attributes: Record<string, Attribute> = {},
    domain = '',
  ): string {
    return this.g.node(type, inputs, attributes, domain);
  }

  reshape(x: string, shape: readonly number[]): string {
    // A zero in ONNX's shape input means "copy"; allowzero makes it mean zero.
    return this.op('Reshape', [x, this.g.ints(shape)], sizeOf(shape) === 0 ? { allowzero: 1 } : {});
  }

  transpose(x: string, perm: readonly number[]): string {
    return this.op('Transpose', [x], { perm });
  }

  slice(
    x: string,
    starts: readonly number[],
    ends: readonly number[],
    axes: readonly number[],
    steps?: readonly number[],
  ): string {
    const { g } = this;
    const inputs = [x, g.ints(starts), g.ints(ends), g.ints(axes)];
    return this.op('Slice', steps ? [...inputs, g.ints(steps)] : inputs);
  }

  concat(parts: readonly string[], axis: number): string {
    return parts.length === 1 ? parts[0]! : this.op('Concat', parts, { axis });
  }

  cast(x: string, to: OnnxDType): string {
    return this.op('Cast', [x], { to: ONNX_TYPE[to] });
  }

  /** `MatMul` with the transposes and the scale that com.microsoft's FusedMatMul takes for free. */
  matmul(a: string, b: string, { transA = false, transB = false, alpha = 1 } = {}): string {
    if (!transA && !transB && alpha === 1) return this.op('MatMul', [a, b]);
    const attributes = { transA: transA ? 1 : 0, transB: transB ? 1 : 0, alpha: { float: alpha } };
    return this.op('FusedMatMul', [a, b], attributes, 'com.microsoft');
  }

  private typed<T extends AttrValue>(name: string, type: 'number' | 'boolean' | 'string'): T {
    const value = this.node.attrs[name];
    if (typeof value !== type) throw new Error(`${this.node.type}: attribute ${name} is not a ${type}`);
    return value as T;
  }
}

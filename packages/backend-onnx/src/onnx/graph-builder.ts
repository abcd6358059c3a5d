import type { Attribute, Initializer, OnnxDType, OnnxNode, Port } from './types';

export interface NodeOptions {
  attributes?: Record<string, Attribute>;
  outputs?: number;
  domain?: string;
}

/** Collects nodes, constants and ports of one ONNX graph; `writeModel` serializes it. */
export class GraphBuilder {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: Initializer[] = [];
  readonly inputs: Port[] = [];
  readonly outputs: Port[] = [];
  /** Names the nodes that follow: ONNX Runtime's errors and profiles quote it. */
  origin = '';
  private counter = 0;
  private readonly constants = new Map<string, string>();

  /** Adds an operator with one output and returns the output's name. */
  node(
    op: string,
    inputs: readonly string[],
    attributes: Record<string, Attribute> = {},
    domain = '',
  ): string {
    return this.nodeN(op, inputs, { attributes, domain })[0]!;
  }

  /** Adds an operator with several outputs. */
  nodeN(
    op: string,
    inputs: readonly string[],
    { attributes = {}, outputs = 1, domain = '' }: NodeOptions,
  ): string[] {
    const id = this.counter++;
    const names = Array.from({ length: outputs }, (_, i) => (i === 0 ? `t${id}` : `t${id}_${i}`));
    this.nodes.push({ op, domain, name: `${this.origin}/${op}_${id}`, inputs, outputs: names, attributes });
    return names;
  }

  /** A constant tensor. Equal small constants are stored once. */
  constant(dtype: OnnxDType, dims: readonly number[], values: ArrayLike<number>): string {
    const bytes = encode(dtype, values);
    const key = bytes.length <= 256 ? `${dtype}[${dims}]${bytes.join()}` : undefined;
    const known = key === undefined ? undefined : this.constants.get(key);
    if (known) return known;
    const name = `c${this.counter++}`;
    this.initializers.push({ name, dtype, dims, bytes });
    if (key !== undefined) this.constants.set(key, name);
    return name;
  }

  /** A constant made at most once per graph, for large ones such as gather indices. */
  constantOnce(
    key: string,
    dtype: OnnxDType,
    make: () => { dims: readonly number[]; values: ArrayLike<number> },
  ): string {
    const known = this.constants.get(key);
    if (known) return known;
    const { dims, values } = make();
    const name = this.constant(dtype, dims, values);
    this.constants.set(key, name);
    return name;
  }

  /** What `make` writes, written at most once per graph. */
  once(key: string, make: () => string): string {
    let name = this.constants.get(key);
    if (name === undefined) {
      name = make();
      this.constants.set(key, name);
    }
    return name;
  }

  scalar(value: number, dtype: OnnxDType = 'float32'): string {
    return this.constant(dtype, [], [value]);
  }

  ints(values: readonly number[]): string {
    return this.constant('int64', [values.length], values);
  }
}

function encode(dtype: OnnxDType, values: ArrayLike<number>): Uint8Array {
  switch (dtype) {
    case 'float32':
      return bytesOf(values instanceof Float32Array ? values : Float32Array.from(values));
    case 'float64':
      return bytesOf(Float64Array.from(values));
    case 'int32':
      return bytesOf(values instanceof Int32Array ? values : Int32Array.from(values));
    case 'int64':
      return bytesOf(BigInt64Array.from(Array.from(values), BigInt));
    case 'bool':
    case 'uint8':
      return Uint8Array.from(values);
    default:
      return dtype satisfies never;
  }
}

function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

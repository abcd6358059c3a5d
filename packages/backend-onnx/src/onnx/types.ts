/** Element types of the graphs that we write, as numbered by ONNX's `TensorProto.DataType`. */
export const ONNX_TYPE = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  bool: 9,
  float64: 11,
} as const;

export type OnnxDType = keyof typeof ONNX_TYPE;

export type Attribute = number | string | readonly number[] | { float: number };

/** One operator call. Names refer to inputs, initializers or other nodes' outputs. */
export interface OnnxNode {
  op: string;
  domain: string;
  name: string;
  inputs: readonly string[];
  outputs: readonly string[];
  attributes: Readonly<Record<string, Attribute>>;
}

/** A constant baked into the model. */
export interface Initializer {
  name: string;
  dtype: OnnxDType;
  dims: readonly number[];
  bytes: Uint8Array;
}

/** Contents of an initializer that stay outside of the model's bytes, under the `path` by which it refers to them. */
export interface ExternalData {
  path: string;
  data: Uint8Array;
}

/** A serialized model. Large constants are beside it: inside they would be copied three times, and 2 GB is the limit. */
export interface Model {
  bytes: Uint8Array;
  external: readonly ExternalData[];
}

/** A typed input or output of the graph. */
export interface Port {
  name: string;
  dtype: OnnxDType;
  /** Absent where every shape will do. */
  dims?: readonly number[] | undefined;
}

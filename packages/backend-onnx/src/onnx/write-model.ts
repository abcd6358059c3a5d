import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { GraphBuilder } from './graph-builder';
import {
  type Attribute,
  type ExternalData,
  type Initializer,
  type Model,
  ONNX_TYPE,
  type OnnxNode,
  type Port,
} from './types';

/** Field numbers of onnx.proto (ONNX IR version 9). Only what our graphs need. */
const OPSET = 20;
const IR_VERSION = 9;

/** Bytes from which on a constant stays outside of the model. */
const EXTERNAL = 1 << 16;

/** Serializes a graph as an ONNX `ModelProto`, readable by ONNX Runtime and by Netron. */
export function writeModel(graph: GraphBuilder): Uint8Array {
  return write(graph, () => undefined);
}

/** As `writeModel`, for a session in this process: large constants are handed over beside the model. */
export function splitModel(graph: GraphBuilder): Model {
  const external: ExternalData[] = [];
  const bytes = write(graph, ({ name, bytes: data }) => {
    if (data.length < EXTERNAL) return undefined;
    external.push({ path: name, data });
    return name;
  });
  return { bytes, external };
}

function write(graph: GraphBuilder, locationOf: (tensor: Initializer) => string | undefined): Uint8Array {
  const model = new BinaryWriter();
  model.tag(1, WireType.Varint).int64(IR_VERSION);
  model.tag(2, WireType.LengthDelimited).string('poiesis');
  message(model, 7, (g) => {
    for (const node of graph.nodes) message(g, 1, (w) => writeNode(w, node));
    g.tag(2, WireType.LengthDelimited).string('poiesis');
    for (const tensor of graph.initializers) message(g, 5, (w) => writeTensor(w, tensor, locationOf(tensor)));
    for (const port of graph.inputs) message(g, 11, (w) => writePort(w, port));
    for (const port of graph.outputs) message(g, 12, (w) => writePort(w, port));
  });
  for (const [domain, version] of [
    ['', OPSET],
    ['com.microsoft', 1],
  ] as const) {
    message(model, 8, (w) => {
      w.tag(1, WireType.LengthDelimited).string(domain);
      w.tag(2, WireType.Varint).int64(version);
    });
  }
  return model.finish();
}

function writeNode(w: BinaryWriter, node: OnnxNode): void {
  for (const input of node.inputs) w.tag(1, WireType.LengthDelimited).string(input);
  for (const output of node.outputs) w.tag(2, WireType.LengthDelimited).string(output);
  w.tag(3, WireType.LengthDelimited).string(node.name);
  w.tag(4, WireType.LengthDelimited).string(node.op);
  for (const [name, value] of Object.entries(node.attributes)) {
    message(w, 5, (a) => writeAttribute(a, name, value));
  }
  if (node.domain) w.tag(7, WireType.LengthDelimited).string(node.domain);
}

/** Whole numbers are INT; a float attribute that may hold a whole number is given as `{ float }`. */
function writeAttribute(w: BinaryWriter, name: string, value: Attribute): void {
  w.tag(1, WireType.LengthDelimited).string(name);
  if (typeof value === 'string') {
    w.tag(4, WireType.LengthDelimited).string(value);
    w.tag(20, WireType.Varint).int32(3);
  } else if (typeof value === 'number') {
    w.tag(3, WireType.Varint).int64(value);
    w.tag(20, WireType.Varint).int32(2);
  } else if ('float' in value) {
    w.tag(2, WireType.Bit32).float(value.float);
    w.tag(20, WireType.Varint).int32(1);
  } else {
    for (const i of value) w.tag(8, WireType.Varint).int64(i);
    w.tag(20, WireType.Varint).int32(7);
  }
}

function writeTensor(w: BinaryWriter, { name, dtype, dims, bytes }: Initializer, location?: string): void {
  for (const d of dims) w.tag(1, WireType.Varint).int64(d);
  w.tag(2, WireType.Varint).int32(ONNX_TYPE[dtype]);
  w.tag(8, WireType.LengthDelimited).string(name);
  if (location === undefined) {
    w.tag(9, WireType.LengthDelimited).bytes(bytes);
    return;
  }
  for (const [key, value] of [
    ['location', location],
    ['length', String(bytes.length)],
  ] as const) {
    message(w, 13, (entry) => {
      entry.tag(1, WireType.LengthDelimited).string(key);
      entry.tag(2, WireType.LengthDelimited).string(value);
    });
  }
  w.tag(14, WireType.Varint).int32(1);
}

function writePort(w: BinaryWriter, { name, dtype, dims }: Port): void {
  w.tag(1, WireType.LengthDelimited).string(name);
  message(w, 2, (type) => {
    message(type, 1, (tensor) => {
      tensor.tag(1, WireType.Varint).int32(ONNX_TYPE[dtype]);
      if (!dims) return;
      message(tensor, 2, (shape) => {
        for (const d of dims) message(shape, 1, (dim) => dim.tag(1, WireType.Varint).int64(d));
      });
    });
  });
}

function message(w: BinaryWriter, field: number, body: (w: BinaryWriter) => void): void {
  w.tag(field, WireType.LengthDelimited).fork();
  body(w);
  w.join();
}

import type { Contender } from './contender';
import { onnx } from './onnx';
import { onnxruntime } from './onnxruntime';
import { pytorch } from './pytorch';
import { tfjsNode } from './tfjs-node';
import { tfjsWasm } from './tfjs-wasm';
import { transformersJs } from './transformers-js';

/** Ours first: the others are measured against it. */
export const contenders: readonly Contender[] = [
  onnx,
  pytorch,
  tfjsWasm,
  tfjsNode,
  onnxruntime,
  transformersJs,
];

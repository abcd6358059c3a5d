import type { PassReport } from '../passes/track';
import { sizeOf, type ValueType } from '../trace/graph';
import type { Flops } from './flops';

/** Tensors that cross the border of a program. */
export interface Traffic {
  count: number;
  bytes: number;
}

/** What became of one recorded program, as far as its structure tells. */
export interface ProgramReport {
  /** Operations that tfjs kernels recorded and that some output needs. */
  recorded: number;
  /** Operations that the passes left. */
  optimized: number;
  /** ONNX nodes that they were written as. */
  onnx: number;
  passes: PassReport[];
  flops: Flops;
  feeds: Traffic;
  outputs: Traffic;
  /** Size of the ONNX model. */
  modelBytes: number;
}

export function trafficOf(tensors: ReadonlyArray<{ shape: readonly number[]; dtype: ValueType }>): Traffic {
  const bytes = tensors.reduce(
    (sum, { shape, dtype }) => sum + sizeOf(shape) * (dtype === 'bool' ? 1 : 4),
    0,
  );
  return { count: tensors.length, bytes };
}

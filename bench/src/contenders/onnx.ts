import type { Contender } from './contender';
import { nodeChild } from './node-child';

/** Ours. */
export const onnx: Contender = {
  name: 'onnx',
  find: async (workload, threads) => nodeChild('onnx', workload, threads),
};

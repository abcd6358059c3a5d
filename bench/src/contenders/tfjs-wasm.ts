import type { Contender } from './contender';
import { nodeChild } from './node-child';

/** tfjs's own WebAssembly backend, with the kernels that core adds to it. */
export const tfjsWasm: Contender = {
  name: 'tfjs-wasm',
  find: async (workload, threads) => nodeChild('tfjs-wasm', workload, threads),
};

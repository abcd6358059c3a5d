import * as tf from '@tensorflow/tfjs-core';
import type { Availability, BackendProvider } from '../provider';
import { tryImport } from './install';

declare module '../provider' {
  interface BackendOptions {
    /** wasm: folder or URL prefix of the `.wasm` files, or a map from file name to URL. Node needs none. */
    wasmPaths?: string | Record<string, string>;
  }
}

const load = () => import('@tensorflow/tfjs-backend-wasm');

let threads = 1;
let simd = false;

/** tfjs's WebAssembly backend (XNNPACK): SIMD; several threads only in cross-origin isolated browser pages. */
export const wasmProvider: BackendProvider = {
  name: 'wasm',
  priority: 10,
  async available(): Promise<Availability> {
    if (typeof WebAssembly === 'undefined') return { ok: false, reason: 'this engine has no WebAssembly' };
    return tryImport('@tensorflow/tfjs-backend-wasm', load);
  },
  async activate({ wasmPaths, threads: wanted }) {
    const wasm = await load();
    if (wasmPaths !== undefined) wasm.setWasmPaths(wasmPaths);
    if (wanted !== undefined) wasm.setThreadsCount(wanted);
    if (!(await tf.setBackend('wasm')))
      throw new Error('the .wasm binary could not be loaded; option wasmPaths');
    threads = wasm.getThreadsCount();
    simd = (await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT')) === true;
  },
  device: () => `CPU, ${threads} ${threads === 1 ? 'thread' : 'threads'}, wasm${simd ? ' SIMD' : ''}`,
};

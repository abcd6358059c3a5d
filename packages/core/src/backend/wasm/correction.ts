import * as tf from '@tensorflow/tfjs-core';
import type { WasmKernelArgs } from './heap';

export type WasmKernel = (args: WasmKernelArgs) => tf.TensorInfo | tf.TensorInfo[];

/** A better version of a kernel that tfjs's wasm backend has. */
export interface Correction {
  kernel: string;
  /** Given the kernel as it was, for the cases that it does well; returns the one to use. */
  correct(original: WasmKernel): WasmKernel;
}

/** Replaces a registered kernel, keeping its set-up and disposal. */
export function applyCorrection({ kernel, correct }: Correction): void {
  const config = tf.getKernel(kernel, 'wasm');
  if (!config) return;
  tf.unregisterKernel(kernel, 'wasm');
  tf.registerKernel({
    ...config,
    kernelFunc: correct(config.kernelFunc as unknown as WasmKernel) as unknown as tf.KernelFunc,
  });
}

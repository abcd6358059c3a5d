import util from 'node:util';
import { registerBackend } from '@poiesis/core';
import { setBackend } from '@tensorflow/tfjs-core';
import { requireTfjsNode } from '../contenders/tfjs-node';
import { type Engine, onBackend } from './engine';
import { completePadding } from './tfjs-node-padding';

/** tfjs's native backend, which core does not know: here it is made known, as any program may. */
export const start: Engine = (workload, threads) => {
  restoreUtil();
  const version = quietly(requireTfjsNode);
  completePadding();
  registerBackend({
    name: 'tensorflow',
    priority: 50,
    available: async () => ({ ok: true, reason: 'loaded' }),
    activate: async () => void (await setBackend('tensorflow')),
    // The number of threads went to libtensorflow by its environment variable.
    device: () => `CPU, ${threads} threads, tfjs-node ${version}`,
  });
  return onBackend('tensorflow', workload, {});
};

/** Two functions that tfjs-node 4.22 calls, and that Node ≥ 23 no longer has. */
function restoreUtil(): void {
  const old = util as { isNullOrUndefined?: unknown; isArray?: unknown };
  old.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  old.isArray ??= Array.isArray;
}

/** Without its warning about the platform `node`, which tfjs-core registers by itself too. */
function quietly<T>(load: () => T): T {
  const { warn } = console;
  console.warn = () => {};
  try {
    return load();
  } finally {
    console.warn = warn;
  }
}

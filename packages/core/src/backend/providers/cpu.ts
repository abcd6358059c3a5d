import * as tf from '@tensorflow/tfjs-core';
import type { BackendProvider } from '../provider';
import { tryImport } from './install';

const load = () => import('@tensorflow/tfjs-backend-cpu');

/** tfjs's plain JavaScript backend: slow, runs anywhere, the reference of the parity tests. */
export const cpuProvider: BackendProvider = {
  name: 'cpu',
  priority: 0,
  available: () => tryImport('@tensorflow/tfjs-backend-cpu', load),
  async activate() {
    await load();
    if (!(await tf.setBackend('cpu'))) throw new Error('tfjs refused the cpu backend');
    // Else its first tensor prints a banner that recommends tfjs-node. Who calls useBackend has chosen.
    (tf.backend() as { firstUse?: boolean }).firstUse = false;
  },
  device: () => 'CPU, 1 thread, JavaScript',
};

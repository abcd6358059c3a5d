import * as tf from '@tensorflow/tfjs-core';
import type { Correction } from './correction';
import { heap, start } from './heap';

/** OneHot of float32. tfjs's own writes integers whatever the type, and so ones of 1.4e-45. */
export const oneHot: Correction = {
  kernel: tf.OneHot,
  correct: (original) => (args) => {
    const { inputs, attrs, backend } = args;
    const { dtype, depth, onValue, offValue } = attrs as tf.OneHotAttrs;
    if (dtype !== 'float32') return original(args);
    const indices = inputs.indices!;
    const count = tf.util.sizeFromShape(indices.shape);
    const out = backend.makeOutput([...indices.shape, depth], 'float32');
    const memory = heap(backend);
    const classes = new Int32Array(memory.buffer);
    const [from, to] = [start(backend, indices), start(backend, out)];
    memory.fill(offValue, to, to + count * depth);
    for (let i = 0; i < count; i++) {
      const index = classes[from + i]!;
      if (index >= 0 && index < depth) memory[to + i * depth + index] = onValue;
    }
    return out;
  },
};

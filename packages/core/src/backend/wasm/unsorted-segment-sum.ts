import * as tf from '@tensorflow/tfjs-core';
import type { Correction } from './correction';
import { heap, start } from './heap';

/** UnsortedSegmentSum row by row in the heap: the composition by ScatterNd copies the whole result once more. */
export const unsortedSegmentSum: Correction = {
  kernel: tf.UnsortedSegmentSum,
  correct: (original) => (args) => {
    const { backend } = args;
    const { x, segmentIds } = args.inputs as { x: tf.Tensor; segmentIds: tf.Tensor };
    const { numSegments }: { numSegments: number } = args.attrs;
    if (x.dtype !== 'float32' || segmentIds.dtype !== 'int32') return original(args);
    const inner = x.shape.slice(segmentIds.rank);
    const width = tf.util.sizeFromShape(inner);
    const out = backend.makeOutput([numSegments, ...inner], 'float32');
    const memory = heap(backend);
    const ids = backend.typedArrayFromHeap(segmentIds);
    const [from, to] = [start(backend, x), start(backend, out)];
    memory.fill(0, to, to + numSegments * width);
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i]!;
      if (id < 0 || id >= numSegments) continue;
      const source = from + i * width;
      const target = to + id * width;
      for (let e = 0; e < width; e++) memory[target + e]! += memory[source + e]!;
    }
    return out;
  },
};

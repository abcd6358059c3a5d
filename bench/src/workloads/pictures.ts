import { hostIntegers, hostUniform, type Key } from '@poiesis/core';

/** Pictures that were prepared before, numbers in [−1, 1), from which each step gathers its batch. */
export interface Pictures {
  /** The values of `batch` pictures, one after the other. */
  gather(key: Key, batch: number): Float32Array<ArrayBuffer>;
}

/** @param size numbers of a picture. */
export function pictures(key: Key, count: number, size: number): Pictures {
  const all = hostUniform(key, count * size, { min: -1, max: 1 });
  return {
    gather(key, batch) {
      const values = new Float32Array(batch * size);
      for (const [row, i] of hostIntegers(key, batch, { max: count }).entries())
        values.set(all.subarray(i * size, (i + 1) * size), row * size);
      return values;
    },
  };
}

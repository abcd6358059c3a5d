import { hashedValues } from '@poiesis/testing';
import { type HostTensor, hostTensor } from '../../src/checkpoint';

/** The same as an entry of a state dict, in the layout on disk. */
export function hashedOnDisk(shape: readonly number[], seed: number): HostTensor {
  return hostTensor(hashedValues(shape, seed), shape);
}

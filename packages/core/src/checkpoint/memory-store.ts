import { checkArgument } from '../errors';
import { bufferSource } from './byte-source';
import { joinBytes } from './safetensors';
import type { CheckpointStore } from './store';
import { encodeCheckpoint, readCheckpoint } from './training-checkpoint';

/**
 * Keeps the last `keep` checkpoints in memory, as the bytes that a file would hold: for tests and for browsers, until
 * the page is closed.
 */
export function memoryStore({ keep = 3 }: { keep?: number } = {}): CheckpointStore {
  checkArgument(
    Number.isInteger(keep) && keep >= 1,
    'memoryStore',
    'keep',
    'a whole number of at least 1',
    keep,
  );
  let saved: { name: string; bytes: Uint8Array }[] = [];
  return {
    async save(checkpoint) {
      const name = `step-${checkpoint.step}`;
      saved = [...saved, { name, bytes: joinBytes(encodeCheckpoint(checkpoint)) }].slice(-keep);
      return name;
    },
    async latest() {
      const newest = saved.at(-1);
      // A copy: what the caller does to its tensors must not reach what is kept.
      return newest ? readCheckpoint(bufferSource(newest.bytes.slice(), newest.name)) : null;
    },
  };
}

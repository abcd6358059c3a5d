import { createHash } from 'node:crypto';
import type { CLIP, EmbeddingIndex } from '@poiesis/clip';
import { ExampleError } from '../errors';

/** What an index of ours remembers. */
export interface IndexMeta {
  /** Folder of the pictures, and the model's, as absolute paths. */
  folder: string;
  model: string;
  /** Tells whether a model is the one that made it. */
  fingerprint: string;
}

export function indexMeta({ folder, model, fingerprint }: IndexMeta): Record<string, string> {
  return { folder, model, fingerprint };
}

/** @throws ExampleError for an index that this app has not made. */
export function readMeta(file: string, { meta }: EmbeddingIndex): IndexMeta {
  const { folder, model, fingerprint } = meta;
  if (folder !== undefined && model !== undefined && fingerprint !== undefined) {
    return { folder, model, fingerprint };
  }
  throw new ExampleError(`${file} was not made by \`npm start -- clip index\``);
}

/** A fingerprint of the model: its weights at a few places, whatever file they come from. */
export async function indexModel({ model }: CLIP): Promise<string> {
  const hash = createHash('sha256');
  for (const [name, tensor] of Object.entries(await model.stateDict())) {
    hash.update(`${name} ${tensor.shape}`).update(tensor.bytes.subarray(0, 4096));
  }
  return hash.digest('hex').slice(0, 16);
}

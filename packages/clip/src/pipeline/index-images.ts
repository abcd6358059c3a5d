import { checkArgument } from '@poiesis/core';
import type { EmbeddingIndex } from '../embedding-index';
import type { CLIP, EmbedImagesOptions } from './clip';
import type { ImageError } from './image-error';
import type { ImageSource } from './image-source';

/** What became of the pictures. */
export interface IndexedImages {
  added: number;
  /** Those whose ids were in the index already. */
  skipped: number;
  failures: ImageError[];
}

/**
 * Embeds pictures into an index, batch by batch. Ids that it has are skipped, so that a second run goes on where the
 * first was stopped; a picture that cannot be read stops none of the others.
 * @param images pictures by their ids; of paths, `paths.map((path) => [path, path])`
 */
export async function indexImages(
  clip: CLIP,
  index: EmbeddingIndex,
  images: Iterable<readonly [id: string, image: ImageSource]>,
  options: EmbedImagesOptions = {},
): Promise<IndexedImages> {
  const { dim } = index;
  checkArgument(dim === clip.embedDim, 'indexImages', 'index.dim', `the model's ${clip.embedDim}`, dim);
  const all = [...images];
  const ids = new Set(all.map(([id]) => id));
  checkArgument(
    ids.size === all.length,
    'indexImages',
    'images',
    'ids that differ',
    `${ids.size} of ${all.length}`,
  );
  const fresh = all.filter(([id]) => !index.has(id));
  const result: IndexedImages = { added: 0, skipped: all.length - fresh.length, failures: [] };
  const sources = fresh.map(([, image]) => image);
  for await (const { kept, rows, failures } of clip.imageBatches(sources, options)) {
    await index.add(
      kept.map((i) => fresh[i]![0]),
      rows,
    );
    result.added += kept.length;
    result.failures.push(...failures);
  }
  return result;
}

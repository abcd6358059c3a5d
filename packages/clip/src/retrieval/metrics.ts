import { checkArgument } from '@poiesis/core';
import { hostVectors, type Vectors } from '../embedding-index';
import { retrievalRanks } from './ranks';

/** How well right answers are found. */
export interface RetrievalMetrics {
  /** Share of the queries that have a right answer among the first 1, 5 and 10. */
  at1: number;
  at5: number;
  at10: number;
  /** The middle rank of the best right answer; of an even number of queries the mean of the two in the middle. */
  medianRank: number;
  queries: number;
}

/** Equal values belong together: captions, ids of pictures, classes. */
export type Groups = ArrayLike<string | number>;

/** Share of ranks that are at most `k`. */
export function recallAt(ranks: ArrayLike<number>, k: number): number {
  checkArgument(ranks.length > 0, 'recallAt', 'ranks', 'at least one rank', 'none');
  let hits = 0;
  for (let i = 0; i < ranks.length; i++) if (ranks[i]! <= k) hits += 1;
  return hits / ranks.length;
}

/** The middle rank; of an even number the mean of the two in the middle. */
export function medianRank(ranks: ArrayLike<number>): number {
  checkArgument(ranks.length > 0, 'medianRank', 'ranks', 'at least one rank', 'none');
  const sorted = Float64Array.from(ranks).sort();
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
}

/** All figures of a list of ranks. */
export function retrievalMetrics(ranks: ArrayLike<number>): RetrievalMetrics {
  return {
    at1: recallAt(ranks, 1),
    at5: recallAt(ranks, 5),
    at10: recallAt(ranks, 10),
    medianRank: medianRank(ranks),
    queries: ranks.length,
  };
}

/** Which texts belong to which images. Default: the first to the first, and so on. */
export type ImageTextPairs =
  | { imageGroups: Groups; textGroups: Groups }
  | { pairs: Iterable<readonly [image: number, text: number]> };

/**
 * Text to image and image to text, by cosine similarity. With several captions of an image, or images of a caption, one
 * right answer is enough.
 *
 * ```ts
 * const { textToImage } = await imageTextRetrieval(images, texts, { imageGroups: captions, textGroups: captions });
 * ```
 * @param images `[n, dim]`; tensors stay the caller's
 * @param texts `[m, dim]`
 * @throws ArgumentError naming the query that has no right answer
 */
export async function imageTextRetrieval(
  images: Vectors,
  texts: Vectors,
  options?: ImageTextPairs,
): Promise<{ textToImage: RetrievalMetrics; imageToText: RetrievalMetrics }> {
  const [forImages, forTexts] = relations(countOf(images), countOf(texts), options);
  return {
    textToImage: retrievalMetrics(await retrievalRanks(texts, images, forTexts)),
    imageToText: retrievalMetrics(await retrievalRanks(images, texts, forImages)),
  };
}

/**
 * Image to image: every image is a query, the others of its group are right answers, itself it does not find.
 * @param groups equal values belong together; images that are alone in theirs are no queries
 */
export async function imageRetrieval(images: Vectors, groups: Groups): Promise<RetrievalMetrics> {
  const fn = 'imageRetrieval';
  const count = countOf(images);
  checkArgument(groups.length === count, fn, 'groups', `${count} values, one per image`, groups.length);
  const together = placesOf(groups);
  const queries = Array.from({ length: count }, (_, i) => i).filter(
    (i) => together.get(groups[i]!)!.length > 1,
  );
  checkArgument(queries.length > 0, fn, 'groups', 'two images of a group at least', 'none');
  const positives = Array.from({ length: count }, (_, i) => together.get(groups[i]!)!);
  const rows = await rowsOf(images, queries);
  const ranks = await retrievalRanks(
    rows,
    images,
    queries.map((i) => positives[i]!),
    queries,
  );
  return retrievalMetrics(ranks);
}

async function rowsOf(vectors: Vectors, rows: readonly number[]): Promise<Float32Array[]> {
  const { data, dim } = await hostVectors('imageRetrieval', 'images', vectors);
  return rows.map((row) => data.subarray(row * dim, (row + 1) * dim));
}

function countOf(vectors: Vectors): number {
  checkArgument(
    !(vectors instanceof Float32Array),
    'imageTextRetrieval',
    'images, texts',
    'tensors [n, dim] or arrays of vectors',
    vectors,
  );
  return 'dataId' in vectors ? vectors.shape[0]! : vectors.length;
}

/** For each image its texts, for each text its images. */
function relations(images: number, texts: number, options?: ImageTextPairs): [number[][], number[][]] {
  const fn = 'imageTextRetrieval';
  if (options === undefined) {
    checkArgument(images === texts, fn, 'texts', `${images} rows, as many as images`, texts);
    const same = () => Array.from({ length: images }, (_, i) => [i]);
    return [same(), same()];
  }
  const forImages = Array.from({ length: images }, (): number[] => []);
  const forTexts = Array.from({ length: texts }, (): number[] => []);
  if ('pairs' in options) {
    for (const [image, text] of options.pairs) {
      const known = forImages[image] !== undefined && forTexts[text] !== undefined;
      checkArgument(known, fn, 'options.pairs', `places below ${images} and ${texts}`, [image, text]);
      forImages[image]!.push(text);
      forTexts[text]!.push(image);
    }
    return [forImages, forTexts];
  }
  const { imageGroups, textGroups } = options;
  const [i, t] = [imageGroups.length, textGroups.length];
  checkArgument(i === images, fn, 'options.imageGroups', `${images} values, one per image`, i);
  checkArgument(t === texts, fn, 'options.textGroups', `${texts} values, one per text`, t);
  const [ofImages, ofTexts] = [placesOf(imageGroups), placesOf(textGroups)];
  return [
    Array.from({ length: images }, (_, image) => ofTexts.get(imageGroups[image]!) ?? []),
    Array.from({ length: texts }, (_, text) => ofImages.get(textGroups[text]!) ?? []),
  ];
}

function placesOf(groups: Groups): Map<string | number, number[]> {
  const places = new Map<string | number, number[]>();
  for (let i = 0; i < groups.length; i++) {
    const list = places.get(groups[i]!);
    if (list) list.push(i);
    else places.set(groups[i]!, [i]);
  }
  return places;
}

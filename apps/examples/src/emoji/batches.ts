import {
  type Cursor,
  checkArgument,
  type HostImage,
  hostIntegers,
  type Key,
  type PlacedBatch,
  permutation,
  randomKey,
  type SeekableBatches,
} from '@poiesis/core';
import { captionOf } from './captions';
import type { EmojiSet, Style } from './emoji-set';

/** A picture with one of the things that can be said of it. */
export interface Pair {
  image: HostImage;
  caption: string;
}

export interface EmojiBatchesOptions<Batch> {
  /** Numbers of the emoji to learn from. */
  emoji: readonly number[];
  /** Styles to learn from. */
  styles: readonly Style[];
  batchSize: number;
  seed: number;
  /** Changes a picture at random, as a function of the key. */
  augment: (image: HostImage, key: Key) => HostImage;
  /** Makes a batch of them. */
  collate: (pairs: readonly Pair[]) => Batch;
}

/**
 * Batches of different emoji, for `train()`. Each emoji comes once in an epoch, in one of its styles, changed at
 * random, under one of its captions. What is left at the end of an epoch is left out.
 *
 * Order, style, change and caption of epoch `e` are functions of `randomKey(seed).fold(e)`, so training resumes anywhere.
 */
export class EmojiBatches<Batch> implements SeekableBatches<Batch> {
  constructor(
    private readonly set: EmojiSet,
    private readonly options: EmojiBatchesOptions<Batch>,
  ) {
    const { emoji, batchSize } = options;
    checkArgument(
      batchSize <= emoji.length,
      'EmojiBatches',
      'batchSize',
      `at most ${emoji.length}`,
      batchSize,
    );
  }

  /** Batches in an epoch. */
  get length(): number {
    return Math.floor(this.options.emoji.length / this.options.batchSize);
  }

  async *batches({
    from = { epoch: 0, index: 0 },
  }: {
    from?: Cursor;
  } = {}): AsyncGenerator<PlacedBatch<Batch>, void, undefined> {
    for (let { epoch, index } = from; ; epoch++, index = 0) {
      for (; index < this.length; index++) {
        const last = index + 1 === this.length;
        const cursor = last ? { epoch: epoch + 1, index: 0 } : { epoch, index: index + 1 };
        yield { batch: this.options.collate(this.pairs(epoch, index)), epoch, cursor };
      }
    }
  }

  /** What a batch is made of. */
  pairs(epoch: number, index: number): Pair[] {
    const { emoji, batchSize, seed } = this.options;
    const [orderKey, pairKey] = randomKey(seed).fold(epoch).split(2) as [Key, Key];
    const order = permutation(orderKey, emoji.length);
    return Array.from(order.subarray(index * batchSize, (index + 1) * batchSize), (place) =>
      this.#pair(emoji[place]!, pairKey.fold(place)),
    );
  }

  #pair(emoji: number, key: Key): Pair {
    const [styleKey, imageKey, captionKey] = key.split(3) as [Key, Key, Key];
    const { styles, augment } = this.options;
    const drawn = styles.filter((style) => this.set.has(style, emoji));
    const style = drawn[hostIntegers(styleKey, 1, { max: drawn.length })[0]!]!;
    return {
      image: augment(this.set.image(style, emoji), imageKey),
      caption: captionOf(this.set.emoji[emoji]!, captionKey),
    };
  }
}

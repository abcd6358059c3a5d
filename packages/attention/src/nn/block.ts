import type { ForwardContext, Key, Layer, Module } from '@poiesis/core';
import { FeedForward, GatedFeedForward } from './feed-forward';

// What encoder and decoder layers share.

/**
 * Children of a layer with those of its feed-forward part among them under their own names, as PyTorch has them:
 * `layers.0.linear1.weight`. Any other part may have parameters of its own, and comes as a whole.
 */
export function* flattened(
  own: Iterable<[name: string, module: Module]>,
  feedForward: Layer,
): Iterable<[name: string, module: Module]> {
  const known = feedForward instanceof FeedForward || feedForward instanceof GatedFeedForward;
  const inner: Iterable<[string, Module]> = known ? feedForward.children() : [['feed_forward', feedForward]];
  let waiting = true;
  for (const [name, module] of own) {
    if (waiting && name.startsWith('norm')) {
      waiting = false;
      yield* inner;
    }
    yield [name, module];
  }
}

/** A context for each part of a layer, each with a key of its own. */
export function partKeys(key: Key | undefined, count: number): ForwardContext[] {
  return key ? key.split(count).map((key) => ({ key })) : Array.from({ length: count }, () => ({}));
}

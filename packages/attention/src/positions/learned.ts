import { Embedding, type Parameter, type WeightOptions } from '@poiesis/core';
import type * as tf from '@tensorflow/tfjs-core';
import { addPositions, checkPlaces } from './add-positions';
import { type Place, Positions } from './positions';

/** A learned vector for each position, added to the embeddings. `weight [maxLength, dim]` starts at N(0, 1). */
export class LearnedPositions extends Positions {
  readonly weight: Parameter<tf.Rank.R2>;

  constructor(maxLength: number, dim: number, options: WeightOptions) {
    super();
    this.weight = new Embedding(maxLength, dim, options).weight;
  }

  get maxLength(): number {
    return this.weight.shape[0];
  }

  override embed(x: tf.Tensor, place: Place = {}): tf.Tensor {
    if (place.at) checkPlaces('LearnedPositions.embed', place.length ?? 0, this.maxLength);
    return addPositions(x, this.weight, place);
  }
}

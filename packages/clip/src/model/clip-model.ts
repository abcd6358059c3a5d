import {
  ArgumentError,
  checkArgument,
  exp,
  type ForwardContext,
  hostValues,
  Module,
  type Parameter,
  parameter,
  randomKey,
} from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { type ClipConfig, resolveConfig } from '../config';
import type { ImageTower, TextTower } from '../towers';
import { l2Normalize } from './normalize';
import { buildTowers } from './towers';

/** What a contrastive loss needs. */
export interface ClipOutput {
  /** `[batch, embedDim]`, rows of length 1. */
  image: tf.Tensor2D;
  /** `[texts, embedDim]`, rows of length 1. */
  text: tf.Tensor2D;
  /** Factor of the cosines: the inverse temperature. */
  logitScale: tf.Scalar;
  /** Added to the logits, in models that have it. */
  logitBias?: tf.Scalar;
}

/**
 * A contrastive image–text model: CLIP (Radford et al., 2021) or SigLIP (Zhai et al., 2023), by its configuration.
 *
 * `new ClipModel(clipConfigs['ViT-B-32'], { seed: 1 })`. Parameters have open_clip's names, so that a CLIP's state dict
 * is open_clip's; `@poiesis/clip`'s checkpoint functions know the other layouts.
 */
export class ClipModel extends Module {
  readonly logit_scale: Parameter<tf.Rank.R0>;
  readonly logit_bias: Parameter<tf.Rank.R0> | null;
  /** The image tower. */
  readonly visual: ImageTower;
  readonly positional_embedding: Parameter<tf.Rank.R2>;
  readonly text_projection: TextTower['text_projection'];
  readonly #text: TextTower;
  readonly #config: ClipConfig;

  /** @param options.seed of the first weights; `null` leaves them zero, for a checkpoint to be loaded. */
  constructor(config: ClipConfig, { seed }: { seed: number | null }) {
    super();
    const resolved = resolveConfig(config);
    const { image, text } = buildTowers(resolved, seed === null ? null : randomKey(seed));
    this.logit_scale = parameter(tf.scalar(resolved.logitScaleInit));
    this.logit_bias = resolved.logitBiasInit === null ? null : parameter(tf.scalar(resolved.logitBiasInit));
    this.visual = image;
    this.positional_embedding = text.positional_embedding;
    this.text_projection = text.text_projection;
    this.#text = text;
    this.#config = config;
  }

  /** The text tower's parts stand beside `visual`, as in OpenAI's code. */
  override *children(): Iterable<[name: string, module: Module]> {
    yield ['visual', this.visual];
    yield* this.#text.children();
  }

  /** The text tower. */
  get text(): TextTower {
    return this.#text;
  }

  get config(): ClipConfig {
    return this.#config;
  }

  /** Logarithm of the inverse temperature, a scalar. */
  get logitScale(): Parameter<tf.Rank.R0> {
    return this.logit_scale;
  }

  /** Added to the logits, a scalar; null in models without. */
  get logitBias(): Parameter<tf.Rank.R0> | null {
    return this.logit_bias;
  }

  /**
   * @param pixels `[batch, height, width, 3]`, mean and deviation of the preprocessing taken off.
   * @param context `key`: patch dropout in training needs it.
   * @returns `[batch, embedDim]`, not normalized. The caller owns it.
   */
  encodeImage(pixels: tf.Tensor4D, context: ForwardContext = {}): tf.Tensor2D {
    return this.visual.forward(pixels, context);
  }

  /**
   * @param tokens int32 `[texts, seq]`, start and end tokens included.
   * @returns `[texts, embedDim]`, not normalized. The caller owns it.
   * @throws ArgumentError for a text that is too long, and in CLIP for one without end token.
   */
  encodeText(tokens: tf.Tensor2D, context: ForwardContext = {}): tf.Tensor2D {
    return this.text.forward(tokens, context);
  }

  /**
   * Both sides, ready for a loss. The caller owns all of it.
   * @throws ArgumentError where the temperature is seen to be no finite number.
   */
  forward(pixels: tf.Tensor4D, tokens: tf.Tensor2D, { key }: ForwardContext = {}): ClipOutput {
    checkArgument(pixels.rank === 4, FN, 'pixels', '[batch, height, width, 3]', pixels.shape);
    this.#checkTemperature();
    const [forImage, forText] = key?.split(2) ?? [];
    return tf.tidy(() => ({
      image: l2Normalize(this.encodeImage(pixels, { key: forImage })),
      text: l2Normalize(this.encodeText(tokens, { key: forText })),
      logitScale: exp(this.logit_scale) as tf.Scalar,
      ...(this.logit_bias && { logitBias: tf.clone(this.logit_bias) as tf.Scalar }),
    }));
  }

  #checkTemperature(): void {
    const value = hostValues(this.logit_scale)?.[0];
    if (value === undefined || Number.isFinite(Math.fround(Math.exp(value)))) return;
    throw new ArgumentError({
      fn: FN,
      argument: 'logit_scale',
      expected: 'a finite logarithm of the inverse temperature',
      received: value,
    });
  }
}

const FN = 'ClipModel.forward';

/** Activation of the feed-forward parts. OpenAI's checkpoints have `'quickGelu'`, most of open_clip's `'gelu'`. */
export type ClipActivation = 'gelu' | 'quickGelu' | 'geluTanh';

/** What both towers have. */
export interface TowerConfig {
  /** Width. */
  readonly dim: number;
  readonly layers: number;
  readonly heads: number;
  /** Features inside the feed-forward parts. Default `4 · dim`. */
  readonly hidden?: number;
  /** Default: the model's. */
  readonly activation?: ClipActivation;
  /** Added to the variance in normalizations. Default 1e-5; 1e-6 in SigLIP. */
  readonly normEps?: number;
}

/** The image tower: a Vision Transformer (Dosovitskiy et al., 2021). */
export interface ImageTowerConfig extends TowerConfig {
  /** Pixels of a side, or `[height, width]`. */
  readonly imageSize: number | readonly [height: number, width: number];
  /** Pixels of a patch's side; divides the image's (in SigLIP, pixels that are left over at the edges are not seen). */
  readonly patchSize: number;
  /** Share of the patches that is left out in training: "FLIP", Li et al. (2023). Default 0. */
  readonly patchDropout?: number;
}

/** The text tower. */
export interface TextTowerConfig extends TowerConfig {
  readonly vocabSize: number;
  /** Most tokens of a text, start and end included. */
  readonly contextLength: number;
  /**
   * Id of the end-of-text token, at which CLIP pools. Default: the vocabulary's last, or 49,407, CLIP's, where tokens
   * were added behind it.
   */
  readonly endToken?: number;
}

/**
 * Sizes of a contrastive image–text model, as plain data.
 *
 * `'clip'`: Radford et al. (2021). Class token, normalization before the blocks, causal text, pooled at its end token,
 * projections without bias. `'siglip'`: Zhai et al. (2023). Attention pooling, text that sees all of itself, pooled at
 * its last place, tanh-GELU, a bias beside the temperature.
 */
export interface ClipConfig {
  /** Default `'clip'`. */
  readonly family?: 'clip' | 'siglip';
  readonly image: ImageTowerConfig;
  readonly text: TextTowerConfig;
  /** Width of the space that pictures and texts share. */
  readonly embedDim: number;
  /** Default `'gelu'`; `'geluTanh'` in SigLIP. */
  readonly activation?: ClipActivation;
  /** First logarithm of the inverse temperature. Default ln(1 / 0.07); ln 10 in SigLIP. */
  readonly logitScaleInit?: number;
  /** First bias of the logits. Default: there is none; −10 in SigLIP. */
  readonly logitBiasInit?: number;
}

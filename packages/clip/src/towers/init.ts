import { type Initializer, normalInit, xavierUniform, zerosInit } from '@poiesis/core';

/** Distributions of a block's matrices; those that are missing are PyTorch's. */
export interface BlockInit {
  readonly inProjection?: Initializer;
  readonly outProjection?: Initializer;
  readonly hidden?: readonly [into: Initializer, out: Initializer];
}

/** First values of a tower. */
export interface TowerInit {
  readonly block: BlockInit;
  /** Normal with a deviation, or zero in a tower whose weights will be loaded. */
  readonly normal: (deviation: number) => Initializer;
  /** The patch embedding's; default PyTorch's. */
  readonly patches?: Initializer;
}

/** OpenAI's and open_clip's image tower: PyTorch's defaults in the blocks. */
export const imageInit: TowerInit = { block: {}, normal: (std) => normalInit({ std }) };

/** OpenAI's and open_clip's text tower: deviations by width and depth (Radford et al., 2019). */
export function textInit(dim: number, layers: number): TowerInit {
  const normal = (std: number) => normalInit({ std });
  const [attention, projection] = [dim ** -0.5, dim ** -0.5 * (2 * layers) ** -0.5];
  return {
    normal,
    block: {
      inProjection: normal(attention),
      outProjection: normal(projection),
      hidden: [normal((2 * dim) ** -0.5), normal(projection)],
    },
  };
}

/** SigLIP's towers: Glorot-uniform matrices, those of queries, keys and values each for itself. */
export function siglipInit(dim: number): TowerInit {
  const glorot = xavierUniform();
  return {
    normal: (std) => normalInit({ std }),
    block: {
      inProjection: (key, shape) => glorot(key, shape, { in: dim, out: dim }),
      outProjection: glorot,
      hidden: [glorot, glorot],
    },
  };
}

/** Zeros: nothing is drawn for weights that a checkpoint brings. */
export const emptyInit: TowerInit = {
  normal: () => zerosInit(),
  patches: zerosInit(),
  block: { inProjection: zerosInit(), outProjection: zerosInit(), hidden: [zerosInit(), zerosInit()] },
};

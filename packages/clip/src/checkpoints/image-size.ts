import { checkArgument, hostTensor, type StateDict, toFloat32 } from '@poiesis/core';
import { type ClipConfig, resolveConfig } from '../config';
import { gridOf, resizePositions } from '../towers/positions';

export interface ImageSizeOptions {
  /** As in `resizePositions`. Default true, open_clip's way. */
  readonly antialias?: boolean;
}

/** The configuration for pictures of another size. */
export function withImageSize(config: ClipConfig, imageSize: ClipConfig['image']['imageSize']): ClipConfig {
  return { ...config, image: { ...config.image, imageSize } };
}

/**
 * Weights for pictures of another size: position embeddings interpolated, all else as it is.
 *
 * `model.loadStateDict(resizeImageState(await small.stateDict(), small.config, model.config))`.
 *
 * @param from configuration that the weights belong to.
 * @param to one that differs in `imageSize`.
 */
export function resizeImageState(
  state: StateDict,
  from: ClipConfig,
  to: ClipConfig,
  { antialias = true }: ImageSizeOptions = {},
): StateDict {
  const [old, { image }] = [resolveConfig(from).image, resolveConfig(to)];
  const fn = 'resizeImageState';
  const table = state[NAME];
  checkArgument(table !== undefined, fn, 'state', `${NAME} among its names`, 'none');
  checkArgument(
    old.patchSize === image.patchSize,
    fn,
    'to.image.patchSize',
    `${old.patchSize}`,
    image.patchSize,
  );
  const grids = { from: gridOf(old), to: gridOf(image) };
  if (grids.from.join() === grids.to.join()) return state;
  const values = resizePositions(toFloat32(table), image.dim, { ...grids, antialias });
  return { ...state, [NAME]: hostTensor(values, [values.length / image.dim, image.dim]) };
}

const NAME = 'visual.positional_embedding';

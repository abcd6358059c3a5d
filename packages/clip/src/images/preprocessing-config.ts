import type { ResizeFilter } from '@poiesis/core';
import { Fields } from '../checkpoints/fields';
import { CLIP_MEAN, CLIP_STD, clipPreprocessing, type ImagePreprocessing } from './settings';

/** Pillow's numbers of filters. Hamming (5) is not among core's. */
const RESAMPLING: Readonly<Record<number, ResizeFilter>> = {
  1: 'lanczos',
  2: 'bilinear',
  3: 'bicubic',
  4: 'box',
};

type Triple = readonly [number, number, number];

/**
 * Settings of a Hugging Face preprocessor_config.json, of a CLIP or a SigLIP model.
 * @param file name for errors.
 * @throws FileFormatError for what these processors do not do.
 */
export function parseHuggingFacePreprocessing(
  json: unknown,
  file = 'preprocessor_config.json',
): ImagePreprocessing {
  const whole = new Fields(json, file);
  const config = whole.has('image_processor') ? whole.record('image_processor') : whole;
  const siglip = /siglip/i.test(
    config.string('image_processor_type', config.string('feature_extractor_type', '')),
  );
  const crops = config.boolean('do_center_crop', !siglip);
  if (!config.boolean('do_resize', true)) throw config.error('do_resize', 'true');
  const size = sides(config, 'size') ?? (siglip ? { height: 224, width: 224 } : { edge: 224 });
  const cut = sides(config, 'crop_size') ?? (siglip ? undefined : { height: 224, width: 224 });
  const shortest = 'edge' in size && !siglip ? size.edge : undefined;
  if (shortest !== undefined && !crops)
    throw config.error('do_center_crop', 'true where size has shortest_edge', false);
  const target = square(crops && cut ? cut : size);
  const fits =
    shortest !== undefined ||
    !crops ||
    (square(size).width === target.width && square(size).height === target.height);
  if (!fits) throw config.error('crop_size', 'the size that pictures are resized to');

  const number = config.number('resample', 3);
  const filter = RESAMPLING[number];
  if (!filter) throw config.error('resample', `a filter of ${Object.keys(RESAMPLING).join(', ')}`);
  // value = (byte · factor − mean) / std = (byte / 255 − mean / k) / (std / k), k = 255 · factor
  const k = config.boolean('do_rescale', true) ? 255 * config.number('rescale_factor', 1 / 255) : 255;
  const scaled = (values: Triple): Triple =>
    Math.abs(k - 1) < 1e-9 ? values : (values.map((v) => v / k) as unknown as Triple);
  const normalizes = config.boolean('do_normalize', true);
  const half: Triple = [0.5, 0.5, 0.5];
  return clipPreprocessing([target.height, target.width], {
    resize: shortest === undefined ? 'squash' : 'shortest',
    ...(shortest === undefined || (shortest === target.width && shortest === target.height)
      ? {}
      : { shortestEdge: shortest }),
    filter,
    middle: 'down',
    alpha: [255, 255, 255],
    mean: scaled(normalizes ? triple(config, 'image_mean', siglip ? half : CLIP_MEAN) : [0, 0, 0]),
    std: scaled(normalizes ? triple(config, 'image_std', siglip ? half : CLIP_STD) : [1, 1, 1]),
  });
}

/** The preprocessor_config.json of settings, as Hugging Face reads it. What it cannot say there is no field for is left out. */
export function huggingFacePreprocessing(settings: ImagePreprocessing): Record<string, unknown> {
  const { size, resize, shortestEdge, filter, mean, std } = settings;
  const siglip = resize !== 'shortest';
  const resample = Number(Object.entries(RESAMPLING).find(([, name]) => name === filter)?.[0] ?? 3);
  return {
    image_processor_type: siglip ? 'SiglipImageProcessor' : 'CLIPImageProcessor',
    do_convert_rgb: true,
    do_resize: true,
    size: siglip ? size : { shortest_edge: shortestEdge ?? Math.min(size.width, size.height) },
    resample,
    ...(siglip ? {} : { do_center_crop: true, crop_size: size }),
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: mean,
    image_std: std,
  };
}

/**
 * Settings of the `preprocess_cfg` of an open_clip_config.json.
 * @param json the whole file, or its `preprocess_cfg`.
 * @param size pixels of a side where the file does not say: the model's.
 * @throws FileFormatError for what open_clip does not do.
 */
export function parseOpenClipPreprocessing(
  json: unknown,
  size?: number | readonly [height: number, width: number],
  file = 'open_clip_config.json',
): ImagePreprocessing {
  const whole = new Fields(json, file);
  const config = whole.has('preprocess_cfg') ? whole.record('preprocess_cfg') : whole;
  const noted =
    config.raw('size') ?? size ?? whole.record('model_cfg').record('vision_cfg').raw('image_size') ?? 224;
  const [height, width] = Array.isArray(noted) ? (noted as number[]) : [Number(noted), Number(noted)];
  const mode = config.string('resize_mode', 'shortest');
  if (mode !== 'shortest' && mode !== 'squash' && mode !== 'longest') {
    throw config.error('resize_mode', 'shortest, squash or longest');
  }
  // "random" is for training; open_clip takes bicubic for it elsewhere.
  const filter = config.string('interpolation', 'bicubic') === 'bilinear' ? 'bilinear' : 'bicubic';
  return clipPreprocessing([height!, width!], {
    resize: mode,
    filter,
    fill: config.number('fill_color', 0),
    middle: 'even',
    alpha: 'dropResized',
    mean: triple(config, 'mean', CLIP_MEAN),
    std: triple(config, 'std', CLIP_STD),
  });
}

type Sides = { edge: number } | { height: number; width: number };

function sides(config: Fields, name: string): Sides | undefined {
  if (!config.has(name)) return undefined;
  if (typeof config.raw(name) === 'number') {
    const side = config.count(name);
    return name === 'size' ? { edge: side } : { height: side, width: side };
  }
  const record = config.record(name);
  if (record.has('shortest_edge')) return { edge: record.count('shortest_edge') };
  return { height: record.count('height'), width: record.count('width') };
}

function square(size: Sides): { height: number; width: number } {
  return 'edge' in size ? { height: size.edge, width: size.edge } : size;
}

function triple(config: Fields, name: string, fallback: Triple): Triple {
  const value = config.raw(name);
  if (value === undefined || value === null) return fallback;
  if (typeof value === 'number') return [value, value, value];
  const numbers = Array.isArray(value) && value.length === 3 && value.every((v) => typeof v === 'number');
  if (!numbers) throw config.error(name, 'three numbers');
  return value as unknown as Triple;
}

import { join } from 'node:path';
import { ArgumentError } from '@poiesis/core';
import type { ClipLayout } from '../../checkpoints';
import { huggingFacePreprocessing, type ImagePreprocessing } from '../../images';
import { type CLIP, type PretrainedOptions, type PretrainedParts, preprocessingFor } from '../../pipeline';
import { loadClip, saveClip } from '../checkpoints';
import { writeJson } from '../checkpoints/json-file';
import { readTokenizer } from '../tokenizer';

/** Reads a folder of Hugging Face or open_clip: model, tokenizer and preprocessing. */
export async function readPretrained(folder: string, options: PretrainedOptions): Promise<PretrainedParts> {
  const { model, layout, preprocessor } = await loadClip(folder, options);
  const { contextLength } = model.config.text;
  const tokenizer = options.tokenizer ?? (await readTokenizer(folder, { contextLength }));
  return { model, tokenizer, preprocessing: preprocessingFor(model, layout, preprocessor, options) };
}

/**
 * Writes a pipeline to a folder that `CLIP.fromPretrained` reads, and Hugging Face's transformers or open_clip: weights,
 * configuration, preprocessing and tokenizer.json. (A `WordTokenizer` is read here alone.) Hugging Face's layout cannot
 * say how the middle of a picture is rounded, which comes back as `'down'`: a pixel's difference at odd sizes.
 * @throws ArgumentError for a model that the other library cannot express, StorageError
 */
export async function savePretrained(
  folder: string,
  clip: CLIP,
  { layout = 'huggingFace' }: { layout?: ClipLayout } = {},
): Promise<void> {
  const { model, tokenizer, preprocessing } = clip;
  const preprocessor =
    layout === 'huggingFace' ? huggingFacePreprocessing(preprocessing) : openClip(preprocessing);
  await saveClip(folder, model, { layout, preprocessor });
  await writeJson(join(folder, 'tokenizer.json'), tokenizer.toJSON());
}

function openClip({ size, resize, shortestEdge, filter, fill, mean, std }: ImagePreprocessing) {
  if (shortestEdge !== undefined || (filter !== 'bicubic' && filter !== 'bilinear')) {
    throw new ArgumentError({
      fn: 'savePretrained',
      argument: 'clip.preprocessing',
      expected: 'what open_clip can say: bicubic or bilinear, the shorter side at the size',
      received: { filter, shortestEdge },
    });
  }
  return {
    size: [size.height, size.width],
    mode: 'RGB',
    mean,
    std,
    interpolation: filter,
    resize_mode: resize,
    fill_color: fill,
  };
}

import {
  checkArgument,
  type Ema,
  type EmaOptions,
  ema,
  type Key,
  type Optimizer,
  type Parameter,
  type TrainStep,
  valueAndGrad,
} from '@poiesis/core';
import type * as tf from '@tensorflow/tfjs-core';
import { type ContrastiveObjective, captionGroups } from '../objectives';
import { type ClipBatch, checkBatch } from './batch';
import { type Contrast, contrast } from './contrast';
import type { ContrastiveModel } from './contrastive-model';
import { add, backpropagate, encodeChunks, type Side } from './gradient-cache';
import { checkLogitScale, clampLogitScale } from './temperature';

export interface ClipStepOptions {
  /** `infoNCE`, `sigLIP`, or a function of one's own. */
  objective: ContrastiveObjective;
  optimizer: Optimizer;
  /**
   * Gradient caching (Gao et al. 2021): pairs that go through the towers at a time. The loss sees the whole batch and the
   * gradients are those of the whole batch, while memory is taken for one chunk; the towers compute their forward pass
   * twice. Default: the whole batch at once.
   */
  chunk?: number;
  /**
   * Locked-image tuning (LiT, Zhai et al. 2022): the image tower is frozen and in evaluation mode, its features are
   * computed without gradients, and the optimizer keeps nothing for it. Default: both towers train.
   */
  locked?: 'image';
  /**
   * What pairs with the same tokens are to each other, in batches without `groups`. Default `'positives'`. For `infoNCE`
   * it is the same: equal texts have equal features, and sharing a target among them evenly is what a softmax does with
   * them anyway. `sigLIP` would be asked for yes and no at once.
   */
  duplicates?: 'positives' | 'negatives';
  /** Changes the pictures of a batch, differently at each step: `(pixels, key) => pixels`. Runs on the device. */
  augment?: (pixels: tf.Tensor4D, key: Key) => tf.Tensor4D;
  /** Keeps an average of the weights beside them: `true`, or its options. Default: none. */
  ema?: boolean | EmaOptions;
}

export interface ClipStep extends TrainStep<ClipBatch> {
  /** Names of the parameters that the step updates, and of those that it leaves alone. */
  parameters(): { trained: string[]; locked: string[] };
  /** The average of the weights, where one is kept. */
  readonly ema: Ema | undefined;
}

/**
 * One update of a contrastive model: features of both sides, scaled to length 1, the objective with the temperature
 * `exp(logitScale)`, the optimizer, and the temperature's limits: `logitScale` is put back into [0, ln 100].
 *
 * The events carry `loss`; `chance`, the loss of features that tell nothing; `scale`, the inverse temperature of this
 * step; `imageCosine` and `textCosine`, the mean cosine of two pictures and two texts of the batch. `clipDiagnostics`
 * reads them.
 *
 * Keep the model in training mode. Dropout and patch dropout draw from the step's key; with `chunk`, each chunk from a
 * key of its own, the same in both of its passes.
 *
 * @throws ArgumentError in `run` for a batch with more or fewer texts than pictures, groups of another length, and a
 *   temperature that is seen to be no finite number. One that becomes so is a loss that `train()` stops at.
 */
export function clipStep(
  model: ContrastiveModel,
  {
    objective,
    optimizer,
    chunk,
    locked,
    duplicates = 'positives',
    augment,
    ema: average = false,
  }: ClipStepOptions,
): ClipStep {
  checkArgument(typeof objective === 'function', 'clipStep', 'options.objective', 'an objective', objective);
  const isCount = chunk === undefined || (Number.isInteger(chunk) && chunk >= 1);
  checkArgument(isCount, 'clipStep', 'options.chunk', 'an integer ≥ 1', chunk);
  checkArgument(
    locked === undefined || locked === 'image',
    'clipStep',
    'options.locked',
    "'image' or nothing",
    locked,
  );
  checkArgument(
    duplicates === 'positives' || duplicates === 'negatives',
    'clipStep',
    'options.duplicates',
    "'positives' or 'negatives'",
    duplicates,
  );
  if (locked) model.visual.freeze();
  const averages = average ? ema(model, average === true ? {} : average) : undefined;

  /** The gradients of the loss, by the parameters' names. */
  function gradientsOf(image: Side, text: Side, groups: tf.Tensor1D | undefined) {
    const parameters = model.trainableParameters();
    const n = image.input.shape[0]!;
    if (chunk !== undefined && chunk < n) return cachedGradients(image, text, groups, chunk, parameters);
    // Of a locked tower no pass is kept: it runs before the gradients begin.
    const fixed = locked && image.encode(image.input, image.key);
    return valueAndGrad<Contrast>(() => {
      const features = {
        image: fixed ?? image.encode(image.input, image.key),
        text: text.encode(text.input, text.key),
      };
      return contrast(model, objective, features, groups);
    }, parameters);
  }

  function cachedGradients(
    image: Side,
    text: Side,
    groups: tf.Tensor1D | undefined,
    rows: number,
    parameters: Record<string, Parameter>,
  ) {
    const features = { image: encodeChunks(image, rows), text: encodeChunks(text, rows) };
    const own = Object.entries(parameters).filter(([, p]) => p === model.logitScale || p === model.logitBias);
    const { value, grads } = valueAndGrad<Contrast>(() => contrast(model, objective, features, groups), {
      ...Object.fromEntries(own),
      [TEXT]: features.text,
      ...(!locked && { [IMAGE]: features.image }),
    });
    const { [IMAGE]: toImage, [TEXT]: toText, ...direct } = grads;
    const sides = [
      ...(toImage ? [backpropagate(image, toImage as tf.Tensor2D, rows, parameters)] : []),
      ...(toText ? [backpropagate(text, toText as tf.Tensor2D, rows, parameters)] : []),
    ];
    return { value, grads: sides.reduce(add, direct) };
  }

  return {
    ema: averages,
    state: { model, optimizer, ...(averages && { ema: averages }) },
    parameters() {
      const all = Object.entries(model.namedParameters());
      const names = (trained: boolean) => all.flatMap(([name, p]) => (p.trainable === trained ? [name] : []));
      return { trained: names(true), locked: names(false) };
    },
    run(batch: ClipBatch, key: Key) {
      checkBatch(FN, batch);
      checkLogitScale(FN, model.logitScale);
      if (locked) model.visual.eval();
      const { pixels, tokens } = batch;
      const [forAugment, forImage, forText] = key.split(3) as [Key, Key, Key];
      const groups = batch.groups ?? (duplicates === 'positives' ? captionGroups(tokens) : undefined);
      const image: Side = {
        input: augment ? augment(pixels, forAugment) : pixels,
        key: forImage,
        encode: (x, key) => model.encodeImage(x as tf.Tensor4D, { key }),
      };
      const text: Side = {
        input: tokens,
        key: forText,
        encode: (x, key) => model.encodeText(x as tf.Tensor2D, { key }),
      };
      const { value, grads } = gradientsOf(image, text, groups);
      optimizer.step(model.trainableParameters(), grads);
      clampLogitScale(model.logitScale);
      averages?.update();
      const { loss, ...others } = value;
      return { loss, ...others };
    },
  };
}

const FN = 'clipStep.run';
/** No parameter has such a name: paths have no spaces. */
const IMAGE = 'image features';
const TEXT = 'text features';

// The models of Hugging Face's transformers and of open_clip, beside ours with their weights.
import { hostTensor, type StateDict, toFloat32, valueAndGrad } from '@poiesis/core';
import { maxRelativeError } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import {
  type ClipCheckpoint,
  type ClipConfig,
  clipFromCheckpoint,
  fromOpenClip,
  infoNCE,
  readClipCheckpoint,
  sigLIP,
  toHuggingFace,
  toOpenClip,
} from '../../src';
import { type Case, cases, expectSampled, pixelsOf, stateOf, tokensOf } from './foreign';

const TOLERANCE = 1e-4;

/** open_clip names its SigLIP towers by size; this one is of no size that has a name. */
const tinySiglip: ClipConfig = {
  family: 'siglip',
  embedDim: 8,
  image: {
    imageSize: 12,
    patchSize: 4,
    dim: 8,
    layers: 2,
    heads: 2,
    hidden: 12,
    activation: 'gelu',
  },
  text: { vocabSize: 30, contextLength: 7, dim: 6, layers: 2, heads: 3, hidden: 12, activation: 'gelu' },
};

function checkpointOf(name: string, fixture: Case): ClipCheckpoint {
  if (name !== 'open_clip SigLIP, from timm') {
    return readClipCheckpoint({ config: fixture.config, state: stateOf(fixture) });
  }
  const state = fromOpenClip(stateOf(fixture), tinySiglip);
  return { layout: 'openClip', config: tinySiglip, state, warnings: [] };
}

describe.each(Object.entries(cases))('%s', (name, fixture) => {
  const checkpoint = checkpointOf(name, fixture);
  const back = fixture.layout === 'huggingFace' ? toHuggingFace : toOpenClip;

  it('gives the same features, logits, loss and gradients', () => {
    const model = clipFromCheckpoint(checkpoint);
    const [pixels, tokens] = [pixelsOf(), tokensOf(fixture)];
    const siglip = checkpoint.config.family === 'siglip';
    const { value, grads } = valueAndGrad(() => {
      const { image, text, logitScale, logitBias } = model.forward(pixels, tokens);
      const loss = siglip ? sigLIP(image, text, logitScale, { logitBias }) : infoNCE(image, text, logitScale);
      const cosines = tf.matMul(image, text, false, true);
      return { loss, logits: tf.add(tf.mul(cosines, logitScale), logitBias ?? 0) };
    }, model.namedParameters());
    expect(maxRelativeError(model.encodeImage(pixels), fixture.image.data)).toBeLessThanOrEqual(TOLERANCE);
    expect(maxRelativeError(model.encodeText(tokens), fixture.text.data)).toBeLessThanOrEqual(TOLERANCE);
    expect(maxRelativeError(value.logits, fixture.logits.data)).toBeLessThanOrEqual(TOLERANCE);
    expect(maxRelativeError(value.loss, fixture.loss)).toBeLessThanOrEqual(TOLERANCE);

    const theirs = back(onDisk(grads), checkpoint.config);
    expect(Object.keys(theirs).sort()).toEqual(Object.keys(fixture.gradients).sort());
    for (const [parameter, expected] of Object.entries(fixture.gradients)) {
      expectSampled(toFloat32(theirs[parameter]!), expected, TOLERANCE, parameter);
    }
    tf.dispose([value, grads, pixels, tokens]);
    model.dispose();
  });

  it('is written back as it was read', async () => {
    const model = clipFromCheckpoint(checkpoint);
    const written = back(await model.stateDict(), checkpoint.config);
    const original = stateOf(fixture);
    expect(Object.keys(written).sort()).toEqual(Object.keys(original).sort());
    for (const [key, tensor] of Object.entries(original)) expect(written[key], key).toEqual(tensor);
    model.dispose();
  });
});

/** Gradients as the state dict has the parameters: convolutions in PyTorch's layout. */
function onDisk(grads: Record<string, tf.Tensor>): StateDict {
  return Object.fromEntries(
    Object.entries(grads).map(([name, grad]) => {
      const x = name === 'visual.conv1.weight' ? tf.transpose(grad, [3, 2, 0, 1]) : grad;
      return [name, hostTensor(Float32Array.from(x.dataSync()), x.shape)];
    }),
  );
}

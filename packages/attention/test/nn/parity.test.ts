// The numbers of PyTorch: fixtures/transformer.py.
import { gelu, Module, randomKey, relu } from '@poiesis/core';
import { hashed, loadFixture } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, it } from 'vitest';
import {
  type FeedForwardMaker,
  MultiHeadAttention,
  mlp,
  postNorm,
  preNorm,
  Transformer,
  transformerDecoder,
  transformerEncoder,
} from '../../src';
import { layerNorm } from '../../src/nn/build';
import { expectClose, expectLikeTorch, fill, maskOf, type Recorded, VALUES } from '../torch';

interface Expected {
  names: number;
  output: Recorded;
  gradients: number[][];
  inputGradients: number[][];
}

interface AttentionCase extends Expected {
  name: string;
  cross: boolean;
  options: { bias?: boolean; kdim?: number; vdim?: number };
  mask: Recorded | null;
  keyMask: Recorded | null;
  weights: Recorded;
}

interface StackCase extends Expected {
  normFirst: boolean;
  activation: 'relu' | 'gelu';
  finalNorm?: boolean;
  mask: Recorded | null;
  keyMask: Recorded | null;
  memoryMask: Recorded | null;
  memoryKeyMask: Recorded | null;
  targetMask: Recorded | null;
  targetKeyMask: Recorded | null;
}

const fixture: {
  names: string[][];
  attention: AttentionCase[];
  encoder: StackCase[];
  decoder: StackCase[];
  transformer: StackCase[];
} = loadFixture(import.meta.url, '../../fixtures/transformer.json');

const [DIM, HEADS, HIDDEN, LAYERS, BATCH, SOURCE, TARGET] = [8, 2, 12, 2, 2, 5, 4];
const key = randomKey(1);

/** PyTorch's modules take boolean masks the other way round. */
function turned(mask: Recorded | null): tf.Tensor | null {
  const tensor = maskOf(mask);
  return tensor?.dtype === 'bool' ? tf.logicalNot(tensor) : tensor;
}

function configOf({ normFirst, activation, finalNorm }: StackCase) {
  const feedForward: FeedForwardMaker = mlp(activation === 'gelu' ? (x) => gelu(x) : relu);
  return {
    dim: DIM,
    heads: HEADS,
    hidden: HIDDEN,
    layers: LAYERS,
    feedForward,
    residual: normFirst ? preNorm : postNorm,
    ...(finalNorm && { finalNorm: layerNorm }),
  };
}

const kindOf = (c: StackCase) =>
  Object.entries(c)
    .filter(([name, value]) => /mask/i.test(name) && value)
    .map(([name, value]) => `${name} ${(value as Recorded).dtype}`)
    .concat(c.normFirst ? 'norm first' : 'norm last', c.activation)
    .join(', ');

describe('MultiHeadAttention is PyTorch’s', () => {
  it.each(fixture.attention)('$name', (expected) => {
    const { bias, kdim: keyDim = DIM, vdim: valueDim = DIM } = expected.options;
    const module = new MultiHeadAttention(DIM, HEADS, { key, bias, keyDim, valueDim });
    fill(module);
    const inputs: Record<string, tf.Tensor> = {
      x: hashed([BATCH, expected.cross ? TARGET : SOURCE, DIM], 1),
    };
    if (expected.cross) inputs.memory = hashed([BATCH, SOURCE, keyDim], 2);
    if (expected.cross && valueDim !== keyDim) inputs.values = hashed([BATCH, SOURCE, valueDim], 3);
    const options = { mask: turned(expected.mask), keyMask: turned(expected.keyMask) };
    const forward = ({ x, ...rest }: Record<string, tf.Tensor>) =>
      module.forward(x!, { ...rest, ...options });
    expectLikeTorch(module, inputs, forward, expected, fixture.names[expected.names]!);
    const { x, ...rest } = inputs;
    const { weights } = module.forward(x!, { ...rest, ...options, returnWeights: true });
    expectClose(weights, expected.weights, VALUES, 'weights');
    module.dispose();
  });
});

describe('transformerEncoder is PyTorch’s', () => {
  it.each(fixture.encoder.map((c) => [kindOf(c), c] as const))('%s', (_, expected) => {
    const module = transformerEncoder(configOf(expected), { key }).eval();
    fill(module);
    const options = { mask: turned(expected.mask), keyMask: turned(expected.keyMask) };
    const inputs = { x: hashed([BATCH, SOURCE, DIM], 1) };
    const names = fixture.names[expected.names]!;
    expectLikeTorch(module, inputs, ({ x }) => module.forward(x!, options), expected, names);
    module.dispose();
  });
});

describe('transformerDecoder is PyTorch’s', () => {
  it.each(fixture.decoder.map((c) => [kindOf(c), c] as const))('%s', (_, expected) => {
    const module = transformerDecoder(configOf(expected), { key }).eval();
    fill(module);
    const options = {
      causal: false, // it is in the mask
      mask: turned(expected.mask),
      keyMask: turned(expected.keyMask),
      memoryMask: turned(expected.memoryMask),
      memoryKeyMask: turned(expected.memoryKeyMask),
    };
    const inputs = { x: hashed([BATCH, TARGET, DIM], 1), memory: hashed([BATCH, SOURCE, DIM], 2) };
    const names = fixture.names[expected.names]!;
    const forward = ({ x, memory }: Record<string, tf.Tensor>) => module.forward(x!, memory!, options);
    expectLikeTorch(module, inputs, forward, expected, names);
    module.dispose();
  });
});

describe('encoder and decoder of a Transformer are PyTorch’s nn.Transformer', () => {
  it.each(fixture.transformer.map((c) => [kindOf(c), c] as const))('%s', (_, expected) => {
    const config = { ...configOf(expected), layers: { encoder: LAYERS, decoder: 1 } };
    const model = new Transformer({ sourceVocab: 5, targetVocab: 5, ...config }, { seed: 1 }).eval();
    const { encoder, decoder } = model;
    // Only the stack takes part here.
    const stack = Object.assign(new (class extends Module {})(), { encoder, decoder });
    fill(stack);
    const memoryKeyMask = turned(expected.keyMask);
    const forward = ({ x, y }: Record<string, tf.Tensor>) => {
      const memory = encoder.forward(x!, { mask: turned(expected.mask), keyMask: memoryKeyMask });
      return decoder.forward(y!, memory, {
        causal: false,
        mask: turned(expected.targetMask),
        keyMask: turned(expected.targetKeyMask),
        memoryMask: turned(expected.memoryMask),
        memoryKeyMask,
      });
    };
    const inputs = { x: hashed([BATCH, SOURCE, DIM], 1), y: hashed([BATCH, TARGET, DIM], 2) };
    expectLikeTorch(stack, inputs, forward, expected, fixture.names[expected.names]!);
    model.dispose();
  });
});

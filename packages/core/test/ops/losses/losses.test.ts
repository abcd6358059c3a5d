import { loadFixture, tensorOf } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, test } from 'vitest';
import {
  bceWithLogits,
  crossEntropy,
  hinge,
  hingeEmbedding,
  huber,
  klDivergence,
  l1,
  mse,
  nll,
  smoothL1,
} from '../../../src/ops';
import {
  type Case,
  expectAsPyTorch,
  type FixtureTensor,
  given,
  givenAll,
  type Spec,
} from '../differentiated';

// Every loss against PyTorch: values, gradients, second gradients.

interface ClassCase extends Case {
  targets: FixtureTensor;
  weight?: Spec;
}
interface Fixture {
  crossEntropy: ClassCase[];
  nll: ClassCase[];
  crossEntropyOfProbabilities: (Case & { weight?: Spec })[];
  bceWithLogits: (Case & { factors: Record<string, Spec> })[];
  hinge: (Case & { labels: number[] })[];
  hingeEmbedding: (Case & { labels: number[] })[];
  mse: Case[];
  l1: Case[];
  huber: Case[];
  smoothL1: Case[];
  klDivergence: Case[];
}
const fixture: Fixture = loadFixture(import.meta.url, '../../../fixtures/losses.json');

beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

const title = '$name $options';

describe.each([
  { loss: crossEntropy, cases: fixture.crossEntropy },
  { loss: nll, cases: fixture.nll },
])('$loss.name', ({ loss, cases }) => {
  test.each(cases)(title, (c) => {
    const options = { ...c.options, weight: c.weight && given(c.weight) };
    expectAsPyTorch(c, ({ x }) => loss(x!, tensorOf(c.targets), options));
  });
});

describe('crossEntropy of probabilities', () => {
  test.each(fixture.crossEntropyOfProbabilities)(title, (c) => {
    const options = { ...c.options, weight: c.weight && given(c.weight) };
    expectAsPyTorch(c, ({ x, q }) => crossEntropy(x!, q!, options));
  });
});

describe('bceWithLogits', () => {
  test.each(fixture.bceWithLogits)(title, (c) => {
    const options = { ...c.options, ...givenAll(c.factors) };
    expectAsPyTorch(c, ({ x, t }) => bceWithLogits(x!, t!, options));
  });
});

describe.each([
  { loss: mse, cases: fixture.mse },
  { loss: l1, cases: fixture.l1 },
  { loss: huber, cases: fixture.huber },
  { loss: smoothL1, cases: fixture.smoothL1 },
  { loss: klDivergence, cases: fixture.klDivergence },
])('$loss.name', ({ loss, cases }) => {
  test.each(cases)(title, (c) => {
    expectAsPyTorch(c, ({ x, t }) => loss(x!, t!, c.options));
  });
});

describe.each([
  { loss: hinge, cases: fixture.hinge },
  { loss: hingeEmbedding, cases: fixture.hingeEmbedding },
])('$loss.name', ({ loss, cases }) => {
  test.each(cases)(title, (c) => {
    expectAsPyTorch(c, ({ x }) => loss(x!, tf.tensor(c.labels, x!.shape, 'int32'), c.options));
  });
});

import {
  adam,
  adamW,
  clipByGlobalNorm,
  clipByValue,
  globalNorm,
  lion,
  type Optimizer,
  oneCycle,
  sgd,
} from '@poiesis/core';
import { loadFixture } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { parametersOf, stepWith, type Values, valuesOf } from './helpers';

interface Case {
  name: string;
  options: object;
  snapshots: Record<string, Values>;
  oneCycle?: number;
  groups?: boolean;
  late?: string;
  from?: number;
  gaps?: string;
}

const fixture: {
  shapes: Record<string, number[]>;
  initial: Values;
  grads: Values[];
  firstNorm: number;
  cases: Case[];
} = loadFixture(import.meta.url, '../../fixtures/optim.json');
const factories: Record<string, (options: object) => Optimizer> = { sgd, adam, adamW, lion };

function optimizerOf({ name, options, oneCycle: max, groups }: Case): Optimizer {
  return factories[name.split(' ')[0]!]!({
    ...options,
    ...(max ? { lr: oneCycle(max, { steps: fixture.grads.length }) } : {}),
    ...(groups
      ? {
          groups: [
            { match: /bias$/, weightDecay: 0 },
            { match: (n: string) => n === 'scale', lr: 0.1, beta1: 0.5, beta2: 0.9 },
          ],
        }
      : {}),
  });
}

function gradsOf(test: Case, step: number): Values {
  const grads = { ...fixture.grads[step]! };
  if (test.late && step < test.from!) delete grads[test.late];
  if (test.gaps && step % 3 === 1) delete grads[test.gaps];
  return grads;
}

describe('twenty updates as PyTorch does them', () => {
  it.each(fixture.cases)('$name', (test) => {
    const parameters = parametersOf(fixture.shapes, fixture.initial);
    const optimizer = optimizerOf(test);
    for (let step = 0; step < fixture.grads.length; step++) {
      stepWith(optimizer, parameters, gradsOf(test, step));
      const expected = test.snapshots[step + 1];
      for (const [name, values] of Object.entries(expected ?? {})) {
        expect(parameters[name]!, `${name} after ${step + 1} updates`).toBeAllClose(values, 1e-5);
      }
    }
    expect(optimizer.count).toBe(20);
    optimizer.dispose();
    tf.dispose(parameters);
  });

  it.each(fixture.cases)('$name, saved and resumed in the middle, to the bit', async (test) => {
    const parameters = parametersOf(fixture.shapes, fixture.initial);
    const first = optimizerOf(test);
    for (let step = 0; step < 8; step++) stepWith(first, parameters, gradsOf(test, step));
    const state = await first.stateDict();
    const copies = parametersOf(fixture.shapes, valuesOf(parameters));
    const second = optimizerOf(test);
    second.loadStateDict(state);
    expect([second.count, second.learningRate()]).toEqual([8, first.learningRate()]);
    for (let step = 8; step < 14; step++) {
      stepWith(first, parameters, gradsOf(test, step));
      stepWith(second, copies, gradsOf(test, step));
    }
    expect(valuesOf(copies)).toEqual(valuesOf(parameters));
    expect(await second.stateDict()).toEqual(await first.stateDict());
    first.dispose();
    second.dispose();
    tf.dispose([parameters, copies]);
  });
});

describe('clipping', () => {
  const grads = () =>
    Object.fromEntries(
      Object.entries(fixture.grads[0]!).map(([name, values]) => [
        name,
        tf.tensor(values, fixture.shapes[name]!),
      ]),
    );

  it('finds the common norm', () => {
    const norm = tf.tidy(() => globalNorm(grads()));
    expect(norm).toBeAllClose([fixture.firstNorm], 1e-6);
    norm.dispose();
  });

  it('scales down to the norm, and leaves smaller gradients alone', () => {
    tf.tidy(() => {
      const { grads: clipped, norm } = clipByGlobalNorm(grads(), 0.5);
      expect(norm).toBeAllClose([fixture.firstNorm], 1e-6);
      expect(globalNorm(clipped)).toBeAllClose([0.5], 1e-5);
      expect(valuesOf(clipByGlobalNorm(grads(), 100).grads)).toEqual(valuesOf(grads()));
      expect(
        Math.max(
          ...Object.values(valuesOf(clipByValue(grads(), 0.25)))
            .flat()
            .map(Math.abs),
        ),
      ).toBe(0.25);
    });
  });

  it('keeps its digits over a million entries', () => {
    tf.tidy(() => {
      expect(globalNorm({ w: tf.fill([1024, 1024], 0.1) })).toBeAllClose([102.4], 2e-5);
    });
  });

  it('refuses limits that are none', () => {
    expect(() => clipByGlobalNorm({ w: tf.scalar(1) }, 0)).toThrow('clipByGlobalNorm(max)');
    expect(() => clipByGlobalNorm({}, 1)).toThrow('at least one gradient');
    expect(() => clipByValue({}, Number.NaN)).toThrow('clipByValue(max)');
    expect(() => adam({ clip: { norm: -1 } })).toThrow('adam(options.clip.norm)');
  });
});

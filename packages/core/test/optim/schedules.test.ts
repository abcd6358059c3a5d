import {
  ArgumentError,
  constant,
  cosine,
  inverseSqrt,
  linearWarmup,
  noam,
  oneCycle,
  type Schedule,
  sequence,
  stepDecay,
} from '@poiesis/core';
import { loadFixture } from '@poiesis/testing';
import { describe, expect, it } from 'vitest';

const fixture: Record<string, number[]> = loadFixture(import.meta.url, '../../fixtures/schedules.json');

// torch.optim.lr_scheduler of the same names: fixtures/schedules.py.
const schedules: Record<string, Schedule> = {
  constant: constant(0.03),
  linearWarmup: linearWarmup(0.4, { steps: 8, from: 0.1 }),
  cosine: cosine(0.5, { steps: 30, min: 0.02 }),
  cosineWarmup: cosine(0.5, { steps: 40, warmup: 5 }),
  inverseSqrt: inverseSqrt(0.5, { warmup: 8 }),
  noam: noam(64, { warmup: 10, factor: 2 }),
  oneCycle: oneCycle(0.3, { steps: 40 }),
  oneCycleLinear: oneCycle(0.3, {
    steps: 37,
    pctStart: 0.25,
    anneal: 'linear',
    divFactor: 10,
    finalDivFactor: 100,
  }),
  oneCycleThreePhase: oneCycle(0.3, { steps: 50, pctStart: 0.35, threePhase: true }),
  stepDecay: stepDecay(0.2, { every: 7, gamma: 0.5 }),
  multiStep: stepDecay(0.2, { milestones: [3, 10, 20] }),
  sequence: sequence(
    [linearWarmup(0.5, { steps: 6, from: 0.25 }), cosine(0.5, { steps: 20 }), constant(0.05)],
    [6, 26],
  ),
};

describe.each(Object.entries(schedules))('%s', (name, schedule) => {
  it('gives the rates of PyTorch', () => {
    fixture[name]!.forEach((rate, count) => {
      expect(Math.abs(schedule(count) - rate), `update ${count}`).toBeLessThan(1e-12);
    });
  });

  it('is finite and not negative far beyond its end', () => {
    for (const count of [0, 1, 1000, 1e6]) {
      expect(schedule(count)).toBeGreaterThanOrEqual(0);
      expect(schedule(count)).toBeLessThan(1);
    }
  });
});

it('stays at its end', () => {
  expect(cosine(1, { steps: 10, min: 0.1 })(25)).toBeCloseTo(0.1, 12);
  expect(linearWarmup(1, { steps: 10 })(25)).toBe(1);
  expect(oneCycle(1, { steps: 10 })(25)).toBeCloseTo(1 / 25 / 1e4, 12);
});

it('takes one-cycles without a rise, or with one of a single update', () => {
  expect(oneCycle(1, { steps: 10, pctStart: 0 })(0)).toBeLessThanOrEqual(1);
  expect(oneCycle(1, { steps: 10, pctStart: 0.1 })(0)).toBe(1);
  expect(oneCycle(1, { steps: 1 })(0)).toBeGreaterThan(0);
});

it('refuses bad options by name', () => {
  expect(() => cosine(1, { steps: 0 })).toThrow('cosine(options.steps): expected an integer > 0, got 0');
  expect(() => cosine(1, { steps: 10, warmup: 10 })).toThrow(ArgumentError);
  expect(() => constant(-1)).toThrow(ArgumentError);
  expect(() => oneCycle(1, { steps: 10, pctStart: 2 })).toThrow('options.pctStart');
  expect(() => stepDecay(1, { milestones: [0.5] })).toThrow(ArgumentError);
  expect(() => sequence([], [])).toThrow(ArgumentError);
  expect(() => sequence([constant(1), constant(2)], [])).toThrow('sequence(milestones): expected 1 rising');
  expect(() => sequence([constant(1), constant(2), constant(3)], [5, 5])).toThrow(ArgumentError);
});

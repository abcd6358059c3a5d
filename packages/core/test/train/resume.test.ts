import { Dropout, Linear, Module, memoryStore, mse, randomKey, sgd, supervised, train } from '@poiesis/core';
import { stateBytes } from '@poiesis/testing';
import type * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { collect, line, type Points, points, told } from './helpers';

const STEPS = 10;

/** The losses and the final state of a run that nobody disturbs. */
async function undisturbed(options: { accumulate?: number; lag?: number } = {}) {
  const { step } = line(options);
  const events = await collect(train(step, points(), { steps: STEPS, seed: 7, lag: options.lag }));
  return {
    losses: events.flatMap((e) => (e.type === 'step' ? [e.losses.loss] : [])),
    state: await stateBytes(step.state),
  };
}

describe.each([{}, { accumulate: 3 }, { lag: 2 }])('a resume with %j', (options) => {
  it('gives the same bits, wherever the run was left', async () => {
    const whole = await undisturbed(options);
    for (let at = 1; at < STEPS; at++) {
      const store = memoryStore();
      const run = { steps: STEPS, seed: 7, checkpoints: store, checkpointEvery: 2, lag: options.lag ?? 0 };
      for await (const e of train(line(options).step, points(), run))
        if (e.type === 'step' && e.step === at) break;

      const { step } = line(options);
      const rest = await collect(train(step, points(), { ...run, resume: true }));
      const from = rest[0]!.step;
      expect(from % 2).toBe(0);
      expect(from).toBeLessThanOrEqual(at);
      expect(rest.flatMap((e) => (e.type === 'step' ? [e.losses.loss] : []))).toEqual(
        whole.losses.slice(from),
      );
      expect(await stateBytes(step.state)).toEqual(whole.state);
    }
  });

  it('goes on after an abort, at the very step', async () => {
    const whole = await undisturbed(options);
    const store = memoryStore();
    for (let until = 3; ; until += 4) {
      const { step } = line(options);
      const stop = new AbortController();
      const run = train(step, points(), {
        steps: STEPS,
        seed: 7,
        checkpoints: store,
        resume: true,
        signal: stop.signal,
      });
      let last = '';
      for await (const event of run) {
        if (event.type === 'step' && event.step === until) stop.abort();
        if (event.type === 'done') last = event.reason;
      }
      if (last === 'steps') {
        expect(await stateBytes(step.state)).toEqual(whole.state);
        break;
      }
      expect((await store.latest())?.step).toBe(until);
    }
  });
});

it('a resume brings the randomness of dropout back', async () => {
  class Net extends Module {
    readonly first = new Linear(2, 8, { key: randomKey(1) });
    readonly drop = new Dropout(0.5);
    readonly second = new Linear(8, 1, { key: randomKey(2) });
  }
  const make = () =>
    supervised<Net, Points>(
      new Net(),
      (m, { x, y }, key) =>
        mse(m.second.forward(m.drop.forward(m.first.forward(x), { key })), y) as tf.Scalar,
      sgd({ lr: 0.1, momentum: 0.9 }),
    );
  const whole = make();
  await collect(train(whole, points(), { steps: 6, seed: 3 }));
  const checkpoints = memoryStore();
  await collect(train(make(), points(), { steps: 4, seed: 3, checkpoints }));
  const resumed = make();
  await collect(train(resumed, points(), { steps: 6, checkpoints, resume: true }));
  expect(await stateBytes(resumed.state)).toEqual(await stateBytes(whole.state));
});

describe('a resume', () => {
  it('starts from the beginning where there is nothing to resume', async () => {
    const { step } = line();
    const events = await collect(
      train(step, points(), { steps: 1, checkpoints: memoryStore(), resume: true, seed: 2 }),
    );
    expect(events[0]).toEqual({ type: 'start', step: 0, steps: 1, seed: 2, resumed: false });
  });

  it('of a finished run is done at once, with its state and its time', async () => {
    const checkpoints = memoryStore();
    const [whole, again] = [line().step, line().step];
    const first = await collect(train(whole, points(), { steps: 3, checkpoints }));
    const events = await collect(train(again, points(), { steps: 3, checkpoints, resume: true }));
    expect(told(events)).toEqual(['start 3', 'done 3']);
    const { seconds } = first.at(-1) as { seconds: number };
    expect(events[1]).toMatchObject({ reason: 'steps', seconds: expect.closeTo(seconds, 3) });
    expect(await stateBytes(again.state)).toEqual(await stateBytes(whole.state));
  });

  it('skips the batches of a plain iterable that were used', async () => {
    const seen: number[][] = [];
    const run = async (options: { steps: number; resume?: boolean }) => {
      const batches: number[] = [];
      seen.push(batches);
      const step = {
        state: {},
        run: (batch: { n: number }) => {
          batches.push(batch.n);
          return {};
        },
      };
      const source = {
        *[Symbol.iterator]() {
          for (let n = 0; n < 3; n++) yield { n };
        },
      };
      return collect(train(step, source, { ...options, checkpoints: store }));
    };
    const store = memoryStore();
    await run({ steps: 5 });
    await run({ steps: 8, resume: true });
    expect(seen).toEqual([
      [0, 1, 2, 0, 1],
      [2, 0, 1],
    ]);
  });

  it('refuses another seed and another step', async () => {
    const checkpoints = memoryStore();
    await collect(train(line().step, points(), { steps: 2, seed: 1, checkpoints }));
    const resume = (step: ReturnType<typeof line>['step'], seed?: number) =>
      collect(train(step, points(), { steps: 4, seed, checkpoints, resume: true }));
    await expect(resume(line().step, 2)).rejects.toThrow('options.seed');
    const { step } = line();
    await expect(resume({ ...step, state: { model: step.state.model! } })).rejects.toThrow(
      'model, optimizer',
    );
  });
});

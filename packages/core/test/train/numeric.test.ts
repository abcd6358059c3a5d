import {
  buffer,
  Linear,
  Module,
  memoryStore,
  NumericError,
  randomKey,
  sgd,
  supervised,
  train,
} from '@poiesis/core';
import { expectNoLeak } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { countNonFinite } from '../../src/train/finite';
import { collect, scalars, scripted } from './helpers';

async function failure(events: AsyncIterable<unknown>): Promise<NumericError> {
  try {
    for await (const _ of events);
  } catch (error) {
    if (NumericError.isInstance(error)) return error;
    throw error;
  }
  throw new Error('no error came');
}

class Net extends Module {
  readonly head = new Linear(1, 1, { key: randomKey(1) });
  readonly mask = buffer(tf.tensor1d([0, Number.NEGATIVE_INFINITY]));
}

const mean = (m: Net, { x }: { x: tf.Tensor }) => tf.mean(m.head.forward(tf.reshape(x, [1, 1]))) as tf.Scalar;

describe('a loss that is not finite', () => {
  it.each([0, 1, 4])('ends the run at its own step with lag %i, after the steps before', async (lag) => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const seen: number[] = [];
      const step = scripted((n) => (n === 5 ? value : 1));
      const run = (async function* () {
        for await (const e of train(step, scalars(), { steps: 20, lag })) {
          if (e.type === 'step') seen.push(e.step);
          yield e;
        }
      })();
      const error = await failure(run);
      expect(error).toMatchObject({ code: 'numeric', step: 6, tensor: 'loss', value, found: [] });
      expect(error.message).toContain(`step 6: loss "loss" is ${value}`);
      expect(seen).toEqual([1, 2, 3, 4, 5]);
    }
  });

  it('names the batch that brought it, and what it spoilt', async () => {
    const step = supervised<Net, { x: tf.Tensor }>(new Net(), mean, sgd({ lr: 0.1, momentum: 0.9 }));
    function* batches() {
      for (const v of [1, 2, Number.NaN]) yield { x: tf.tensor1d([v]) };
    }
    const error = await failure(train(step, batches(), { steps: 9, lag: 1 }));
    expect(error).toMatchObject({ step: 3, tensor: 'loss', value: Number.NaN });
    expect(error.found).toEqual([
      { name: 'batch.x', kind: 'batch', nan: 1, infinite: 0, size: 1 },
      { name: 'model.head.weight', kind: 'parameter', nan: 1, infinite: 0, size: 1 },
      { name: 'model.mask', kind: 'buffer', nan: 0, infinite: 1, size: 2 },
      { name: 'optimizer.momentum_buffer.head.weight', kind: 'state', nan: 1, infinite: 0, size: 1 },
    ]);
    expect(error.message).toBe(
      'step 3: loss "loss" is NaN; not finite now: batch.x (1 NaN of 1), model.head.weight (1 NaN of 1), ' +
        'model.mask (1 infinite of 2) and 1 more',
    );
  });

  it('leaves the last good checkpoint, and no tensor', async () => {
    const store = memoryStore();
    await expectNoLeak(async () => {
      const step = scripted((n) => (n === 6 ? Number.NaN : 1));
      await failure(train(step, scalars(), { steps: 9, lag: 2, checkpoints: store, checkpointEvery: 2 }));
    });
    expect((await store.latest())?.step).toBe(6);
  });
});

it('weights that are not finite are not saved, though no loss has shown them yet', async () => {
  const net = new Net();
  const step = {
    state: { model: net },
    run() {
      net.head.bias!.assign(tf.tensor1d([Number.POSITIVE_INFINITY]));
      return { loss: tf.scalar(1) };
    },
  };
  const store = memoryStore();
  const error = await failure(train(step, scalars(), { steps: 3, checkpoints: store, checkpointEvery: 1 }));
  expect(error).toMatchObject({ step: 1, tensor: 'model.head.bias', value: undefined });
  expect(await store.latest()).toBeNull();
});

it('a mask of minus infinity is saved', async () => {
  const step = supervised<Net, { x: tf.Tensor }>(new Net(), mean, sgd({ lr: 0.1 }));
  const events = await collect(train(step, scalars(), { steps: 1, checkpoints: memoryStore() }));
  expect(events.map((e) => e.type)).toContain('checkpoint');
});

it('counts NaN and infinities in every floating type, at any alignment', () => {
  const shifted = (bytes: Uint8Array) => {
    const moved = new Uint8Array(bytes.length + 1);
    moved.set(bytes, 1);
    return moved.subarray(1);
  };
  const bytes = (view: ArrayBufferView) => new Uint8Array(view.buffer.slice(0));
  const [nan, inf] = [Number.NaN, Number.NEGATIVE_INFINITY];
  const cases = [
    ['F32', bytes(Float32Array.of(1, nan, inf, inf))],
    ['F64', bytes(Float64Array.of(1e300, nan, inf, inf))],
    ['F16', bytes(Uint16Array.of(0x3c00, 0x7e00, 0x7c00, 0xfc00))],
    ['BF16', bytes(Uint16Array.of(0x3f80, 0x7fc0, 0x7f80, 0xff80))],
  ] as const;
  for (const [dtype, data] of cases) {
    for (const b of [data, shifted(data)]) {
      expect(countNonFinite({ dtype, shape: [4], bytes: b })).toEqual({ nan: 1, infinite: 2, size: 4 });
    }
  }
  expect(countNonFinite({ dtype: 'I64', shape: [1], bytes: new Uint8Array(8).fill(255) })).toMatchObject({
    nan: 0,
  });
});

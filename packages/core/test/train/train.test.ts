import { ArgumentError, memoryStore, randomKey, sgd, supervised, train } from '@poiesis/core';
import { expectNoLeak } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { collect, type Line, line, type Points, points, scalars, scripted, told } from './helpers';

describe('events', () => {
  it('tell steps, epochs, evaluations, samples and checkpoints in that order', async () => {
    const { step } = line();
    const events = await collect(
      train(step, points(), {
        steps: 4,
        seed: 1,
        checkpoints: memoryStore(),
        checkpointEvery: 2,
        evaluate: () => ({ accuracy: 1 }),
        evaluateEvery: 3,
        sample: (at) => `picture ${at}`,
        sampleEvery: 3,
      }),
    );
    expect(told(events)).toEqual([
      'start 0',
      'step 1',
      'step 2',
      'checkpoint 2',
      'step 3',
      'epoch 3',
      'evaluation 3',
      'sample 3',
      'step 4',
      'evaluation 4',
      'sample 4',
      'checkpoint 4',
      'done 4',
    ]);
    expect(events[0]).toEqual({ type: 'start', step: 0, steps: 4, seed: 1, resumed: false });
    expect(events).toContainEqual({ type: 'sample', step: 3, value: 'picture 3' });
    expect(events.at(-1)).toMatchObject({ reason: 'steps' });
    const inSteps = events.reduce((sum, e) => sum + (e.type === 'step' ? e.seconds : 0), 0);
    expect(events.at(-1)).toHaveProperty('seconds', expect.closeTo(inSteps, 2));
  });

  it('give step n the key randomKey(seed).fold(n)', async () => {
    const step = scripted(() => 0);
    await collect(train(step, scalars(), { steps: 3, seed: 9 }));
    expect(step.keys.map((k) => k.words())).toEqual([0, 1, 2].map((n) => randomKey(9).fold(n).words()));
  });

  it.each([0, 1, 3, 100])('bring every loss once and in order with lag %i', async (lag) => {
    const step = scripted((n) => n);
    const events = await collect(
      train(step, scalars(), { steps: 8, lag, checkpoints: memoryStore(), checkpointEvery: 5 }),
    );
    const losses = events.flatMap((e) => (e.type === 'step' ? [e.losses.loss] : []));
    expect(losses).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    // The checkpoint waited for the losses of its own steps.
    expect(told(events).indexOf('checkpoint 5')).toBe(told(events).indexOf('step 5') + 1);
  });

  it('arrive late by the lag and no later', async () => {
    const step = scripted((n) => n);
    for await (const event of train(step, scalars(), { steps: 9, lag: 2 })) {
      if (event.type === 'step' && event.step < 7) expect(step.keys.length).toBe(event.step + 2);
    }
  });

  it('end with the data, and count its epochs', async () => {
    const walked = { [Symbol.iterator]: () => [1, 2].map((v) => tf.scalar(v)).values() };
    const step = scripted(() => 0);
    expect(told(await collect(train(step, walked, { steps: 5 })))).toEqual([
      'start 0',
      'step 1',
      'step 2',
      'epoch 2',
      'step 3',
      'step 4',
      'epoch 4',
      'step 5',
      'done 5',
    ]);
    function* once() {
      yield* [tf.scalar(1), tf.scalar(2)];
    }
    for (const lag of [0, 5]) {
      const events = await collect(train(step, once(), { steps: 5, lag }));
      expect(told(events)).toEqual(['start 0', 'step 1', 'step 2', 'epoch 2', 'done 2']);
      expect(events.at(-1)).toMatchObject({ reason: 'data' });
    }
  });
});

describe('training', () => {
  it('learns', async () => {
    const { step, model } = line();
    const noiseless = supervised<Line, Points>(
      model,
      (m, { x, y }) => tf.mean(tf.square(tf.sub(m.head.forward(x), y))) as tf.Scalar,
      sgd({ lr: 0.3 }),
    );
    const events = await collect(train(noiseless, points(12), { steps: 100 }));
    const losses = events.flatMap((e) => (e.type === 'step' ? [e.losses.loss!] : []));
    expect(losses.at(-1)).toBeLessThan(1e-4 * losses[0]!);
    expect(Object.keys(step.state)).toEqual(['model', 'optimizer']);
  });

  it('accumulates gradients: four batches of 3 are one of 12', async () => {
    const loss = (m: Line, { x, y }: Points) => tf.mean(tf.square(tf.sub(m.head.forward(x), y))) as tf.Scalar;
    const [small, large] = [line().model, line().model];
    const fine = supervised<Line, Points>(small, loss, sgd({ lr: 0.1 }), { accumulate: 4 });
    const coarse = supervised<Line, Points>(large, loss, sgd({ lr: 0.1 }));
    await collect(train(fine, points(3), { steps: 8 }));
    await collect(train(coarse, points(12), { steps: 2 }));
    expect(small.head.weight as tf.Tensor).toBeAllClose(large.head.weight as tf.Tensor, 1e-5);
  });

  it('keeps an average of the weights, which takes them in at each update, and is saved with the rest', async () => {
    const loss = (m: Line, { x, y }: Points) => tf.mean(tf.square(tf.sub(m.head.forward(x), y))) as tf.Scalar;
    const { model } = line();
    const options = { accumulate: 4, ema: { decay: 0.5 } };
    const step = supervised<Line, Points>(model, loss, sgd({ lr: 0.1 }), options);
    expect(Object.keys(step.state)).toEqual(['model', 'optimizer', 'ema']);
    const weights: Float32Array[] = [(model.head.weight.dataSync() as Float32Array).slice()];
    for (let update = 1; update <= 3; update++) {
      await collect(train(step, points(3), { steps: 4 }));
      weights.push((model.head.weight.dataSync() as Float32Array).slice());
      expect(step.ema!.count).toBe(update);
    }
    const expected = [0, 1].map((i) => {
      const [first, ...rest] = weights.map((w) => w[i]!);
      return rest.reduce((average, w) => (average + w) / 2, first!);
    });
    step.ema!.apply(() => expect(model.head.weight as tf.Tensor).toBeAllClose(expected, 1e-6));
    expect([...model.head.weight.dataSync()]).toEqual([...weights[3]!]);
    expect(supervised<Line, Points>(model, loss, sgd({ lr: 0.1 })).ema).toBeUndefined();
    step.ema!.dispose();
  });

  it('tells what the loss function tells beside the loss', async () => {
    const { model } = line();
    const step = supervised<Line, Points>(
      model,
      (m, { x }) => ({ loss: tf.mean(m.head.forward(x)) as tf.Scalar, twice: tf.scalar(2) }),
      sgd({ lr: 0.1 }),
    );
    const events = await collect(train(step, points(), { steps: 1 }));
    expect(events[1]).toMatchObject({ losses: { twice: 2, loss: expect.any(Number) } });
  });
});

describe('stopping', () => {
  it('stops after the current step, saves and says so', async () => {
    const { step } = line();
    const store = memoryStore();
    const stop = new AbortController();
    const events = [];
    const run = train(step, points(), { steps: 100, checkpoints: store, signal: stop.signal, lag: 2 });
    for await (const event of run) {
      events.push(event);
      if (event.type === 'step' && event.step === 2) stop.abort();
    }
    expect(told(events)).toEqual([
      'start 0',
      'step 1',
      'step 2',
      'step 3',
      'epoch 3',
      'step 4',
      'checkpoint 4',
      'done 4',
    ]);
    expect(events.at(-1)).toMatchObject({ reason: 'aborted' });
    expect((await store.latest())?.step).toBe(4);
  });

  it('hears a timer also where steps are synchronous', async () => {
    const step = scripted(() => 0);
    const events = await collect(train(step, scalars(), { steps: 1e9, signal: AbortSignal.timeout(50) }));
    expect(events.at(-1)).toMatchObject({ type: 'done', reason: 'aborted' });
    expect(step.keys.length).toBeGreaterThan(0);
  });

  it('does not wait for a batch that does not come', async () => {
    const stuck: AsyncIterable<tf.Tensor> = {
      [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }),
    };
    const store = memoryStore();
    const signal = AbortSignal.timeout(20);
    const events = await collect(
      train(
        scripted(() => 0),
        stuck,
        { steps: 3, signal, checkpoints: store },
      ),
    );
    expect(told(events)).toEqual(['start 0', 'done 0']);
    expect(await store.latest()).toBeNull();
  });

  it('does nothing when it was aborted before', async () => {
    const step = scripted(() => 0);
    const events = await collect(train(step, scalars(), { steps: 3, signal: AbortSignal.abort() }));
    expect(told(events)).toEqual(['start 0', 'done 0']);
    expect(step.keys).toEqual([]);
  });
});

describe('memory', () => {
  it('stays flat over 50 steps', async () => {
    const { step } = line({ accumulate: 2 });
    let at10 = { numTensors: 0, numDataBuffers: 0 };
    for await (const event of train(step, points(), { steps: 60, lag: 1 })) {
      if (event.step === 10 && event.type === 'step') at10 = tf.memory();
      // Every second step: accumulation holds the sums of the first one. The last one is alone in the queue.
      if (event.step > 10 && event.step < 60 && event.step % 2 === 0 && event.type === 'step') {
        expect(tf.memory().numTensors).toBe(at10.numTensors);
        expect(tf.memory().numDataBuffers).toBe(at10.numDataBuffers);
      }
    }
  });

  it('is given back when the consumer breaks, and when a step throws', async () => {
    const { step } = line();
    await expectNoLeak(async () => {
      for await (const event of train(step, points(), { steps: 100, lag: 3 })) if (event.step === 5) break;
    });
    await expectNoLeak(async () => {
      const broken = {
        state: {},
        run: () => ({ loss: tf.matMul(tf.ones([2, 3]), tf.ones([2, 3])) as never }),
      };
      await expect(collect(train(broken, points(), { steps: 3 }))).rejects.toThrow();
    });
  });

  it('holds no data once the source has been left', async () => {
    let open = 0;
    async function* source() {
      open += 1;
      try {
        yield* scalars();
      } finally {
        open -= 1;
      }
    }
    for await (const event of train(
      scripted(() => 0),
      source(),
      { steps: 9 },
    ))
      if (event.step === 2) break;
    expect(open).toBe(0);
  });
});

describe('wrong input', () => {
  const step = scripted(() => 0);
  it.each([
    [{ steps: -1 }, 'options.steps'],
    [{ steps: 1.5 }, 'options.steps'],
    [{ steps: 1, seed: 0.5 }, 'options.seed'],
    [{ steps: 1, lag: -1 }, 'options.lag'],
    [{ steps: 1, checkpointEvery: 0 }, 'options.checkpointEvery'],
    [{ steps: 1, resume: true }, 'options.checkpoints'],
  ])('%j is refused at the call', (options, argument) => {
    expect(() => train(step, scalars(), options)).toThrow(argument);
  });

  it('names a source that is none', () => {
    expect(() => train(step, 3 as never, { steps: 1 })).toThrow('train(batches)');
  });

  it('says that batches are used once', async () => {
    const array = [tf.scalar(1), tf.scalar(2)];
    await expect(collect(train(step, array, { steps: 3 }))).rejects.toThrow('the loop disposes them');
  });

  it.each([
    [() => tf.scalar(1), 'a record of named scalars'],
    [async () => ({}), 'not a promise'],
    [() => ({ loss: 1 }), 'step.run → loss'],
    [() => ({ loss: tf.ones([2]) }), 'step.run → loss'],
  ])('names what the step returned wrongly', async (run, message) => {
    const error = await collect(train({ state: {}, run: run as never }, scalars(), { steps: 1 })).catch(
      (e) => e,
    );
    expect(ArgumentError.isInstance(error)).toBe(true);
    expect(error.message).toContain(message);
  });
});

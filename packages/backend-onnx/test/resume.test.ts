import {
  adamW,
  crossEntropy,
  Embedding,
  ema,
  gelu,
  type Key,
  LayerNorm,
  Linear,
  linear,
  Module,
  memoryStore,
  randomKey,
  setCompileCheck,
  softmax,
  supervised,
  type TrainStep,
  train,
} from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it, vi } from 'vitest';

const [VOCABULARY, TIME, DIM, HEADS] = [32, 16, 24, 2];
const STEPS = 6;

/** A Transformer of one block with the parts of GPT-2, scores by the token table included. */
class SmallGPT extends Module {
  readonly wte: Embedding;
  readonly wpe: Embedding;
  readonly ln_1 = new LayerNorm(DIM);
  readonly ln_2 = new LayerNorm(DIM);
  readonly ln_f = new LayerNorm(DIM);
  readonly attn: Linear;
  readonly proj: Linear;
  readonly fc: Linear;
  readonly out: Linear;

  constructor({ key }: { key: Key }) {
    super();
    const keys = key.split(6);
    this.wte = new Embedding(VOCABULARY, DIM, { key: keys[0]! });
    this.wpe = new Embedding(TIME, DIM, { key: keys[1]! });
    this.attn = new Linear(DIM, 3 * DIM, { key: keys[2]! });
    this.proj = new Linear(DIM, DIM, { key: keys[3]! });
    this.fc = new Linear(DIM, 4 * DIM, { key: keys[4]! });
    this.out = new Linear(4 * DIM, DIM, { key: keys[5]! });
  }

  forward(ids: tf.Tensor): tf.Tensor {
    const x = tf.add(this.wte.forward(ids), this.wpe.weight); // (B, T, C)
    const y = tf.add(x, this.attend(this.ln_1.forward(x)));
    const z = tf.add(y, this.out.forward(gelu(this.fc.forward(this.ln_2.forward(y)), 'tanh')));
    return linear(this.ln_f.forward(z), this.wte.weight); // (B, T, V)
  }

  private attend(x: tf.Tensor): tf.Tensor {
    const B = x.shape[0]!;
    const split = (part: tf.Tensor) =>
      tf.transpose(tf.reshape(part, [B, TIME, HEADS, DIM / HEADS]), [0, 2, 1, 3]);
    const [q, k, v] = tf.split(this.attn.forward(x), 3, -1).map(split) as [tf.Tensor, tf.Tensor, tf.Tensor];
    const mask = Float32Array.from({ length: TIME * TIME }, (_, i) =>
      i % TIME > Math.floor(i / TIME) ? -Infinity : 0,
    );
    const scores = tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(DIM / HEADS)); // (B, nh, T, T)
    const weights = softmax(tf.add(scores, tf.tensor(mask, [TIME, TIME])));
    const heads = tf.transpose(tf.matMul(weights, v), [0, 2, 1, 3]); // (B, T, nh, hs)
    return this.proj.forward(tf.reshape(heads, [B, TIME, DIM]));
  }
}

interface Batch {
  ids: tf.Tensor;
  next: tf.Tensor;
}

/** Fresh objects, as after a kill. */
function training({ accumulate = 1, reads = false }: Run) {
  const model = new SmallGPT({ key: randomKey(5) });
  const average = ema(model, { decay: 0.9, warmup: true });
  const optimizer = adamW({ lr: (n) => 1e-2 / (n + 1), clip: { norm: 0.5 } });
  const inner = supervised(
    model,
    (m, { ids, next }: Batch) =>
      crossEntropy(tf.reshape(m.forward(ids), [-1, VOCABULARY]), tf.reshape(next, [-1])) as tf.Scalar,
    optimizer,
    { accumulate, state: { average } },
  );
  const step: TrainStep<Batch> = {
    state: inner.state,
    run(batch, key) {
      const losses = inner.run(batch, key);
      average.update();
      if (reads) losses.loss!.dataSync();
      return losses;
    },
  };
  return { model, step };
}

/** Batch i of every epoch is the same. */
function* batches() {
  for (let i = 0; i < STEPS; i++) {
    const at = (shift: number) =>
      tf.tensor(
        Int32Array.from({ length: 2 * TIME }, (_, k) => ((i + 3) * (k + shift) ** 2 + k) % VOCABULARY),
        [2, TIME],
        'int32',
      );
    yield { ids: at(0), next: at(1) };
  }
}

async function bits(step: TrainStep<never>): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [part, stateful] of Object.entries(step.state))
    for (const [name, { bytes }] of Object.entries(await stateful.stateDict()))
      found[`${part}.${name}`] = Buffer.from(bytes).toString('hex');
  return found;
}

interface Run {
  store?: ReturnType<typeof memoryStore>;
  until?: number;
  accumulate?: number;
  evaluates?: boolean;
  /** The step reads its loss, so that it is not compiled. */
  reads?: boolean;
}

/** Trains in fresh objects, from the store's checkpoint where it has one; leaves the run after step `until`. */
async function run({ store, until, evaluates, ...rest }: Run) {
  const { model, step } = training(rest);
  const evaluate = () => {
    const logits = tf.tidy(() => model.forward(tf.zeros([1, TIME], 'int32')));
    const [first] = logits.dataSync();
    logits.dispose();
    return { first: first! };
  };
  const losses: number[] = [];
  const events = train(
    step,
    { [Symbol.iterator]: batches },
    {
      steps: STEPS,
      seed: 3,
      ...(store ? { checkpoints: store, checkpointEvery: 1, resume: true } : {}),
      ...(evaluates ? { evaluate, evaluateEvery: 1 } : {}),
    },
  );
  for await (const event of events) {
    if (event.type === 'step') losses.push(event.losses.loss!);
    if (event.type === 'checkpoint' && event.step === until) break;
  }
  return { losses, bits: await bits(step) };
}

afterEach(() => {
  setCompileCheck(3); // as test/setup.ts
  vi.restoreAllMocks();
});

describe('a resumed run', () => {
  // At 1 and at 3 of accumulation, the first call after the resume makes state that the run before had already.
  it.each([
    { at: [1, 2, 4] },
    { at: [1, 3], accumulate: 2 },
    { at: [3], check: 2 },
    { at: [2], check: 2, evaluates: true },
    { at: [2], accumulate: 2, evaluates: true },
    { at: [1, 4], reads: true },
    { at: [3], accumulate: 2, reads: true },
  ])('gives the bits of one that nobody disturbed: %j', async ({ at, check = 0, evaluates, ...options }) => {
    setCompileCheck(check);
    if ('reads' in options) vi.spyOn(console, 'warn').mockReturnValue();
    const whole = await run(options);
    for (const until of at) {
      const store = memoryStore();
      const before = await run({ store, until, evaluates, ...options });
      expect(before.losses).toEqual(whole.losses.slice(0, until));
      const after = await run({ store, evaluates, ...options });
      expect(after.losses).toEqual(whole.losses.slice(until));
      expect(after.bits).toEqual(whole.bits);
    }
  });
});

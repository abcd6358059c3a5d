import * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../errors';
import { uniformInit } from '../init';
import { type RecurrentWeights, unstack } from '../ops/recurrent';
import { dropoutMask, type Key } from '../random';
import { checkSizes, type WeightOptions } from './fresh';
import { type Parameter, parameter } from './leaf';
import { Module } from './module';

export interface RecurrentOptions extends WeightOptions {
  /** Default 1. */
  layers?: number;
  /** Default true. */
  bias?: boolean;
  /** Adds a second direction; outputs of both are joined on the last axis. Default false. */
  bidirectional?: boolean;
  /** Rate of dropout between layers, in training. Needs a key at each `forward`. Default 0. */
  dropout?: number;
}

/** What a `forward` may be given beside the sequence. */
export interface RecurrentContext<S> {
  /** States to start from, `[layers · directions, batch, hidden]`, in PyTorch's order. Default zeros. */
  initial?: S;
  /** Randomness of dropout. */
  key?: Key;
}

/** One direction of one layer: `[batch, seq, in]` and states `[batch, hidden]` to an output and the last states. */
type Run = (
  x: tf.Tensor,
  weights: RecurrentWeights,
  states: readonly (tf.Tensor | undefined)[],
  reverse: boolean,
) => { output: tf.Tensor3D; states: tf.Tensor[] };

/**
 * What LSTM and GRU share: parameters with PyTorch's names (`weight_ih_l0`, `weight_hh_l0_reverse`, `bias_ih_l1`, …),
 * all uniform in ±1/√hidden at first, and the run through layers and directions.
 */
export abstract class Recurrent extends Module {
  [weight: `weight_${string}`]: Parameter<tf.Rank.R2>;
  [bias: `bias_${string}`]: Parameter<tf.Rank.R1>;
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly layers: number;
  readonly bidirectional: boolean;
  readonly dropout: number;

  constructor(fn: string, gates: number, inputSize: number, hiddenSize: number, options: RecurrentOptions) {
    super();
    const { key, init, layers = 1, bias = true, bidirectional = false, dropout = 0 } = options;
    checkSizes(fn, { inputSize, hiddenSize, 'options.layers': layers });
    checkArgument(dropout >= 0 && dropout < 1, fn, 'options.dropout', 'a rate in [0, 1)', dropout);
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    this.layers = layers;
    this.bidirectional = bidirectional;
    this.dropout = dropout;

    const bound = 1 / Math.sqrt(hiddenSize);
    const uniform = uniformInit({ min: -bound, max: bound });
    const rows = gates * hiddenSize;
    for (let layer = 0; layer < layers; layer++) {
      const dim = layer === 0 ? inputSize : hiddenSize * this.suffixes.length;
      for (const [direction, suffix] of this.suffixes.entries()) {
        const keys = key.fold(layer * 2 + direction).split(4);
        const weight = (k: Key, size: number): Parameter<tf.Rank.R2> => {
          const fan = { in: size, out: rows };
          return parameter((init ?? uniform)(k, [rows, size], fan) as tf.Tensor2D);
        };
        this[`weight_ih_l${layer}${suffix}`] = weight(keys[0]!, dim);
        this[`weight_hh_l${layer}${suffix}`] = weight(keys[1]!, hiddenSize);
        if (!bias) continue;
        const fan = { in: hiddenSize, out: rows };
        this[`bias_ih_l${layer}${suffix}`] = parameter(uniform(keys[2]!, [rows], fan) as tf.Tensor1D);
        this[`bias_hh_l${layer}${suffix}`] = parameter(uniform(keys[3]!, [rows], fan) as tf.Tensor1D);
      }
    }
  }

  /** Runs all layers and directions. Call inside a tidy. States are `[layers · directions, batch, hidden]`. */
  protected runLayers(
    fn: string,
    x: tf.Tensor,
    initial: Readonly<Record<string, tf.Tensor | undefined>>,
    key: Key | undefined,
    run: Run,
  ): { output: tf.Tensor3D; states: tf.Tensor3D[] } {
    const fits = x.rank === 3 && x.shape[2] === this.inputSize;
    checkArgument(fits, fn, 'x', `[batch, seq, ${this.inputSize}]`, x.shape);
    const shape = [this.layers * this.suffixes.length, x.shape[0]!, this.hiddenSize];
    const starts = Object.entries(initial).map(([name, state]) => {
      const ok = !state || String(state.shape) === String(shape);
      checkArgument(ok, fn, `initial.${name}`, `[${shape.join(', ')}]`, state?.shape);
      return state ? unstack(state, 0) : undefined;
    });

    const ends: tf.Tensor[][] = starts.map(() => []);
    let y = x as tf.Tensor3D;
    for (let layer = 0; layer < this.layers; layer++) {
      const outputs = this.suffixes.map((suffix, direction) => {
        const index = layer * this.suffixes.length + direction;
        const states = starts.map((start) => start?.[index]);
        const result = run(y, this.weightsOf(layer, suffix), states, direction === 1);
        for (const [i, state] of result.states.entries()) ends[i]!.push(state);
        return result.output;
      });
      y = outputs.length === 1 ? outputs[0]! : tf.concat(outputs, 2); // (batch, seq, directions · hidden)
      if (this.training && this.dropout > 0 && layer < this.layers - 1) {
        checkArgument(key, fn, 'context.key', 'a key, which dropout in training needs', key);
        y = tf.mul(y, dropoutMask(key.fold(layer), this.dropout, y.shape));
      }
    }
    return { output: y, states: ends.map((states) => tf.stack(states) as tf.Tensor3D) };
  }

  private get suffixes(): readonly string[] {
    return this.bidirectional ? ['', '_reverse'] : [''];
  }

  private weightsOf(layer: number, suffix: string): RecurrentWeights {
    return {
      weightIh: this[`weight_ih_l${layer}${suffix}`]!,
      weightHh: this[`weight_hh_l${layer}${suffix}`]!,
      biasIh: this[`bias_ih_l${layer}${suffix}`],
      biasHh: this[`bias_hh_l${layer}${suffix}`],
    };
  }
}

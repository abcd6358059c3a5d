import type * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../errors';
import { type ConvTranspose2dOptions, convTranspose2d } from '../ops/conv-transpose2d';
import { type Conv1dOptions, conv1d } from '../ops/conv1d';
import { type ConvPadding, checkGroups, conv2d, convPads } from '../ops/conv2d';
import { type Pair, pairOf } from '../ops/pair';
import { checkSizes, freshWeights, type WeightOptions } from './fresh';
import type { Parameter } from './leaf';
import { Layer } from './module';

export interface Conv1dLayerOptions extends WeightOptions {
  kernelSize: number;
  /** Default 1. */
  stride?: number;
  /** Zeros on both sides. Default 0. `'same'` keeps the length and needs stride 1. */
  padding?: number | 'same' | 'valid';
  /** Default 1. */
  dilation?: number;
  /** Default 1. */
  groups?: number;
  /** Default true. */
  bias?: boolean;
}

/**
 * Convolution over `[batch, length, in]` → `[batch, outLength, out]`.
 *
 * `weight [kernel, in / groups, out]` in memory, `[out, in / groups, kernel]` on disk. It and `bias [out]` start
 * uniform in ±1/√fanIn, fanIn = in / groups · kernel.
 */
export class Conv1d extends Layer {
  readonly weight: Parameter<tf.Rank.R3>;
  readonly bias: Parameter<tf.Rank.R1> | null;
  readonly inChannels: number;
  readonly options: Readonly<Omit<Conv1dOptions, 'bias'>>;

  constructor(inChannels: number, outChannels: number, options: Conv1dLayerOptions) {
    super();
    const { kernelSize, stride = 1, padding = 0, dilation = 1, groups = 1, bias: hasBias = true } = options;
    const kernel = pairOf(kernelSize, 'Conv1d', 'options.kernelSize')[0];
    pairOf(stride, 'Conv1d', 'options.stride');
    pairOf(dilation, 'Conv1d', 'options.dilation');
    convPads(padding, [1, 1], [stride, stride], 'Conv1d');
    checkChannels('Conv1d', inChannels, outChannels, groups);
    const shape = [kernel, inChannels / groups, outChannels];
    const fan = { in: (inChannels / groups) * kernel, out: outChannels * kernel };
    const disk = { permute: [2, 1, 0] };
    const fresh = freshWeights<tf.Rank.R3>(options, shape, fan, disk, hasBias ? outChannels : null);
    this.weight = fresh.weight;
    this.bias = fresh.bias;
    this.inChannels = inChannels;
    this.options = { stride, padding, dilation, groups };
  }

  override forward(x: tf.Tensor): tf.Tensor3D {
    const fits = x.rank === 3 && x.shape[2] === this.inChannels;
    checkArgument(fits, 'Conv1d.forward', 'x', `[batch, length, ${this.inChannels}]`, x.shape);
    return conv1d(x, this.weight, { ...this.options, bias: this.bias });
  }
}

export interface Conv2dLayerOptions extends WeightOptions {
  /** One number, or `[height, width]`; likewise below. */
  kernelSize: Pair;
  /** Default 1. */
  stride?: Pair;
  /** Zeros on both sides of each axis. Default 0. `'same'` keeps the size and needs stride 1. */
  padding?: ConvPadding;
  /** Default 1. */
  dilation?: Pair;
  /** Default 1. */
  groups?: number;
  /** Default true. */
  bias?: boolean;
}

/**
 * Convolution over `[batch, height, width, in]` → `[batch, outHeight, outWidth, out]`,
 * `out = floor((size + 2·padding − dilation·(kernel − 1) − 1) / stride) + 1`.
 *
 * `weight [kh, kw, in / groups, out]` in memory, `[out, in / groups, kh, kw]` on disk. It and `bias [out]` start
 * uniform in ±1/√fanIn, fanIn = in / groups · kh · kw.
 */
export class Conv2d extends Layer {
  readonly weight: Parameter<tf.Rank.R4>;
  readonly bias: Parameter<tf.Rank.R1> | null;
  readonly inChannels: number;
  readonly options: Readonly<Pick<Conv2dLayerOptions, 'stride' | 'padding' | 'dilation' | 'groups'>>;

  constructor(inChannels: number, outChannels: number, options: Conv2dLayerOptions) {
    super();
    const { kernelSize, stride = 1, padding = 0, dilation = 1, groups = 1, bias: hasBias = true } = options;
    const [kh, kw] = pairOf(kernelSize, 'Conv2d', 'options.kernelSize');
    pairOf(dilation, 'Conv2d', 'options.dilation');
    convPads(padding, [1, 1], pairOf(stride, 'Conv2d', 'options.stride'), 'Conv2d');
    checkChannels('Conv2d', inChannels, outChannels, groups);
    const shape = [kh, kw, inChannels / groups, outChannels];
    const fan = { in: (inChannels / groups) * kh * kw, out: outChannels * kh * kw };
    const disk = { permute: [3, 2, 0, 1] };
    const fresh = freshWeights<tf.Rank.R4>(options, shape, fan, disk, hasBias ? outChannels : null);
    this.weight = fresh.weight;
    this.bias = fresh.bias;
    this.inChannels = inChannels;
    this.options = { stride, padding, dilation, groups };
  }

  override forward(x: tf.Tensor): tf.Tensor4D {
    checkImage('Conv2d.forward', x, this.inChannels);
    return conv2d(x, this.weight, { ...this.options, bias: this.bias });
  }
}

export interface ConvTranspose2dLayerOptions extends WeightOptions {
  /** One number, or `[height, width]`; likewise below. */
  kernelSize: Pair;
  /** Default 1. */
  stride?: Pair;
  /** Pixels cut off both sides of each axis. Default 0. */
  padding?: Pair;
  /** Pixels added at the bottom and right, smaller than stride or dilation. Default 0. */
  outputPadding?: Pair;
  /** Default 1. */
  dilation?: Pair;
  /** Default 1. */
  groups?: number;
  /** Default true. */
  bias?: boolean;
}

/**
 * Transposed convolution over `[batch, height, width, in]` → `[batch, outHeight, outWidth, out]`,
 * `out = (size − 1)·stride − 2·padding + dilation·(kernel − 1) + outputPadding + 1`.
 *
 * `weight [kh, kw, out / groups, in]` in memory, `[in, out / groups, kh, kw]` on disk. It and `bias [out]` start
 * uniform in ±1/√fanIn with fanIn = out / groups · kh · kw: that is how PyTorch counts here.
 */
export class ConvTranspose2d extends Layer {
  readonly weight: Parameter<tf.Rank.R4>;
  readonly bias: Parameter<tf.Rank.R1> | null;
  readonly inChannels: number;
  readonly options: Readonly<Omit<ConvTranspose2dOptions, 'bias'>>;

  constructor(inChannels: number, outChannels: number, options: ConvTranspose2dLayerOptions) {
    super();
    const { kernelSize, stride = 1, padding = 0, outputPadding = 0, dilation = 1, groups = 1 } = options;
    const [kh, kw] = pairOf(kernelSize, 'ConvTranspose2d', 'options.kernelSize');
    pairOf(stride, 'ConvTranspose2d', 'options.stride');
    pairOf(padding, 'ConvTranspose2d', 'options.padding', 0);
    pairOf(outputPadding, 'ConvTranspose2d', 'options.outputPadding', 0);
    pairOf(dilation, 'ConvTranspose2d', 'options.dilation');
    checkChannels('ConvTranspose2d', inChannels, outChannels, groups);
    const shape = [kh, kw, outChannels / groups, inChannels];
    const fan = { in: (outChannels / groups) * kh * kw, out: inChannels * kh * kw };
    const disk = { permute: [3, 2, 0, 1] };
    const biasSize = (options.bias ?? true) ? outChannels : null;
    const fresh = freshWeights<tf.Rank.R4>(options, shape, fan, disk, biasSize);
    this.weight = fresh.weight;
    this.bias = fresh.bias;
    this.inChannels = inChannels;
    this.options = { stride, padding, outputPadding, dilation, groups };
  }

  override forward(x: tf.Tensor): tf.Tensor4D {
    checkImage('ConvTranspose2d.forward', x, this.inChannels);
    return convTranspose2d(x, this.weight, { ...this.options, bias: this.bias });
  }
}

function checkChannels(fn: string, inChannels: number, outChannels: number, groups: number): void {
  checkSizes(fn, { inChannels, outChannels });
  checkGroups(fn, groups, inChannels, outChannels);
}

function checkImage(fn: string, x: tf.Tensor, channels: number): void {
  const expected = `[batch, height, width, ${channels}]`;
  checkArgument(x.rank === 4 && x.shape[3] === channels, fn, 'x', expected, x.shape);
}

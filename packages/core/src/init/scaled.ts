import { checkArgument } from '../errors';
import { hostNormal, hostUniform } from '../random';
import { draw, type Fan, type Initializer } from './initializer';

/** Activations whose gain `torch.nn.init.calculate_gain` knows. */
export type Nonlinearity = 'linear' | 'sigmoid' | 'tanh' | 'relu' | 'leakyRelu' | 'selu';

/** By how much an activation shrinks the standard deviation, inverted. `slope` is leakyRelu's, default 0.01. */
export function gainOf(nonlinearity: Nonlinearity, slope = 0.01): number {
  switch (nonlinearity) {
    case 'linear':
    case 'sigmoid':
      return 1;
    case 'tanh':
      return 5 / 3;
    case 'relu':
      return Math.SQRT2;
    case 'leakyRelu':
      return Math.sqrt(2 / (1 + slope * slope));
    case 'selu':
      return 3 / 4;
    default: {
      const known = 'linear, sigmoid, tanh, relu, leakyRelu or selu';
      checkArgument(false, 'gainOf', 'nonlinearity', known, nonlinearity);
    }
  }
}

export interface KaimingOptions {
  /** Keeps the variance of activations (`'fanIn'`, default) or of gradients (`'fanOut'`). */
  mode?: 'fanIn' | 'fanOut';
  /** Default `'leakyRelu'`. */
  nonlinearity?: Nonlinearity;
  /** Slope of leakyRelu. Default 0, which is ReLU. PyTorch's layers use √5 (a uniform bound of 1 / √fanIn). */
  a?: number;
}

/** `N(0, gain² / fan)` (He et al. 2015, eq. 14), as `torch.nn.init.kaiming_normal_`. */
export function kaimingNormal(options: KaimingOptions = {}): Initializer {
  return normalOf((fan) => kaimingStd(fan, options));
}

/** Uniform with the standard deviation `gain / √fan` (He et al. 2015), as `torch.nn.init.kaiming_uniform_`. */
export function kaimingUniform(options: KaimingOptions = {}): Initializer {
  return uniformOf((fan) => kaimingStd(fan, options));
}

/** `N(0, gain² · 2 / (fanIn + fanOut))` (Glorot and Bengio 2010), as `torch.nn.init.xavier_normal_`. */
export function xavierNormal({ gain = 1 }: { gain?: number } = {}): Initializer {
  return normalOf((fan) => gain * Math.sqrt(2 / (fan.in + fan.out)));
}

/** Uniform with that deviation (Glorot and Bengio 2010, eq. 16), as `torch.nn.init.xavier_uniform_`. */
export function xavierUniform({ gain = 1 }: { gain?: number } = {}): Initializer {
  return uniformOf((fan) => gain * Math.sqrt(2 / (fan.in + fan.out)));
}

function kaimingStd(fan: Fan, { mode = 'fanIn', nonlinearity = 'leakyRelu', a = 0 }: KaimingOptions): number {
  return gainOf(nonlinearity, a) / Math.sqrt(mode === 'fanIn' ? fan.in : fan.out);
}

function normalOf(stdOf: (fan: Fan) => number): Initializer {
  return (key, shape, fan) => draw(shape, (n) => hostNormal(key, n, { std: stdOf(fan) }));
}

function uniformOf(stdOf: (fan: Fan) => number): Initializer {
  return (key, shape, fan) => {
    const bound = Math.sqrt(3) * stdOf(fan); // a uniform of ±b has the deviation b / √3
    return draw(shape, (n) => hostUniform(key, n, { min: -bound, max: bound }));
  };
}

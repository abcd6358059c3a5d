import type { Room } from '../compile';
import { checkArgument } from '../errors';
import { exactLog, lowerNormalTail, normalQuantile } from './exact-math';
import type { Key } from './key';
import { fillWords } from './threefry';
import { SIMD_WORDS, threefrySimd } from './threefry-simd';

// Draws on the host. Element i of every draw without rejection (all but integers and permutation) is a function of
// the key and i alone: a shorter draw is the beginning of a longer one. Arrays are fresh and belong to the caller.

const CHUNK = 2048;
const scratch = new Int32Array(CHUNK);
const UNIT_32 = 1 / 0x100000000;
const UNIT_24 = 1 / 0x1000000;

/** `n` random words. */
export function hostBits(key: Key, n: number): Uint32Array {
  checkCount('hostBits', n);
  const out = new Int32Array(n);
  const [k0, k1] = key.words();
  fillWords(k0, k1, out);
  return new Uint32Array(out.buffer);
}

/** Options of `normal`. */
export interface NormalOptions {
  /** Mean, 0 by default. */
  mean?: number;
  /** Standard deviation, 1 by default. */
  std?: number;
}

/**
 * `n` normal numbers, by the quantile function of one 32-bit word each (no |z| above 6.34). Only operations that
 * IEEE 754 defines to the bit are used, so engines agree to the bit.
 */
export function hostNormal(key: Key, n: number, { mean = 0, std = 1 }: NormalOptions = {}): Float32Array {
  checkCount('hostNormal', n);
  checkArgument(Number.isFinite(mean), 'normal', 'options.mean', 'a number', mean);
  checkArgument(Number.isFinite(std) && std >= 0, 'normal', 'options.std', 'a number ≥ 0', std);
  const out = new Float32Array(n);
  eachChunk(key, n, 0, (words, start, length) => {
    for (let i = 0; i < length; i++) {
      out[start + i] = mean + std * normalQuantile(((words[i]! >>> 0) + 0.5) * UNIT_32);
    }
  });
  return out;
}

/** Options of `uniform`. */
export interface UniformOptions {
  /** Lower end, included; 0 by default. */
  min?: number;
  /** Upper end, excluded; 1 by default. */
  max?: number;
}

/** `n` uniform float32 numbers in [min, max), of 24 random bits each. */
export function hostUniform(key: Key, n: number, { min = 0, max = 1 }: UniformOptions = {}): Float32Array {
  checkCount('hostUniform', n);
  checkArgument(
    Number.isFinite(min) && Number.isFinite(max) && min <= max,
    'uniform',
    'options',
    'finite min ≤ max',
    [min, max],
  );
  const out = new Float32Array(n);
  const scale = (max - min) * UNIT_24;
  eachChunk(key, n, 0, (words, start, length) => {
    for (let i = 0; i < length; i++) out[start + i] = min + scale * (words[i]! >>> 8);
  });
  // Rounding to float32 may reach `max`, which is excluded (unless it is also `min`).
  const top = Math.fround(max);
  if (min < max && Math.fround(max - scale) >= top) {
    const below = floatBelow(top);
    for (let i = 0; i < n; i++) if (out[i]! >= top) out[i] = below;
  }
  return out;
}

/** Options of `truncatedNormal`. */
export interface TruncatedNormalOptions extends NormalOptions {
  /** Lower bound in the numbers' own unit; `mean − 2 std` by default. */
  min?: number;
  /** Upper bound in the numbers' own unit; `mean + 2 std` by default. */
  max?: number;
}

/** `n` numbers of the normal distribution given that it falls into [min, max], by the quantile function. */
export function hostTruncatedNormal(key: Key, n: number, options: TruncatedNormalOptions = {}): Float32Array {
  checkCount('hostTruncatedNormal', n);
  const { mean = 0, std = 1 } = options;
  const { min = mean - 2 * std, max = mean + 2 * std } = options;
  checkArgument(Number.isFinite(mean), 'truncatedNormal', 'options.mean', 'a number', mean);
  checkArgument(Number.isFinite(std) && std > 0, 'truncatedNormal', 'options.std', 'a number > 0', std);
  checkArgument(min < max, 'truncatedNormal', 'options', 'min < max', [min, max]);
  // In the upper half, mirrored, since doubles resolve small probabilities much better than those near 1.
  const mirrored = min - mean > mean - max ? -1 : 1;
  const a = (mirrored > 0 ? min - mean : mean - max) / std;
  const b = (mirrored > 0 ? max - mean : mean - min) / std;
  const from = lowerNormalTail(a);
  const to = b <= 0 ? lowerNormalTail(b) : 1 - lowerNormalTail(-b);
  checkArgument(to > from && from < 0.5, 'truncatedNormal', 'options', 'bounds with some probability', [
    min,
    max,
  ]);
  const out = new Float32Array(n);
  const low = floatAtLeast(min);
  const high = floatAtMost(max);
  eachChunk(key, n, 0, (words, start, length) => {
    for (let i = 0; i < length; i++) {
      const z = normalQuantile(from + (to - from) * (((words[i]! >>> 0) + 0.5) * UNIT_32));
      out[start + i] = Math.min(Math.max(mean + std * mirrored * z, low), high);
    }
  });
  return out;
}

/** `n` coin flips, 1 with probability `p`. */
export function hostBernoulli(key: Key, p: number, n: number): Uint8Array {
  checkCount('hostBernoulli', n);
  checkArgument(p >= 0 && p <= 1, 'bernoulli', 'p', 'a probability', p);
  const out = new Uint8Array(n);
  const threshold = Math.round(p * 0x100000000);
  eachChunk(key, n, 0, (words, start, length) => {
    for (let i = 0; i < length; i++) out[start + i] = words[i]! >>> 0 < threshold ? 1 : 0;
  });
  return out;
}

/**
 * `n` factors of inverted dropout: 0 with probability `rate`, otherwise 1 / (1 − rate), so that the mean is 1.
 * Two elements share one random word, which rounds `rate` to a multiple of 2⁻¹⁶; the kept factor is that of the
 * rounded rate, so the mean stays 1 exactly.
 * @param room where they go; a fresh array by default.
 */
export function hostDropoutMask(
  key: Key,
  rate: number,
  n: number,
  room: Room = (n) => new Float32Array(n),
): Float32Array {
  checkCount('hostDropoutMask', n);
  checkArgument(rate >= 0 && rate <= 1, 'dropoutMask', 'rate', 'a probability', rate);
  const out = room(n);
  const dropped = Math.round(rate * 0x10000);
  if (dropped === 0x10000) return out.fill(0);
  const kept = 0x10000 / (0x10000 - dropped);
  if (dropped === 0) return out.fill(1);
  const [k0, k1] = key.words();
  const simd = threefrySimd();
  const whole = simd ? n - (n % (2 * SIMD_WORDS)) : 0;
  for (let at = 0; at < whole; at += 2 * SIMD_WORDS) {
    simd!.mask(k0, k1, at / 4, SIMD_WORDS, dropped, kept);
    out.set(simd!.factors, at);
  }
  eachChunk(key, Math.ceil(n / 2), whole / 2, (words, start, length) => {
    const at = 2 * start;
    for (let i = 0; i < length; i++) {
      const word = words[i]!;
      // A write beyond the end of a typed array (odd n) is ignored by definition.
      out[at + 2 * i] = (word & 0xffff) < dropped ? 0 : kept;
      out[at + 2 * i + 1] = word >>> 16 < dropped ? 0 : kept;
    }
  });
  return out;
}

/** `n` standard Gumbel numbers, −log(−log u): adding them to logits and taking the argmax draws a category. */
export function hostGumbel(key: Key, n: number): Float32Array {
  checkCount('hostGumbel', n);
  const out = new Float32Array(n);
  eachChunk(key, n, 0, (words, start, length) => {
    for (let i = 0; i < length; i++) {
      out[start + i] = -exactLog(-exactLog(((words[i]! >>> 0) + 0.5) * UNIT_32));
    }
  });
  return out;
}

/**
 * `n` categories drawn with the probabilities softmax(logits).
 * @param logits one row; −∞ excludes a category.
 */
export function hostCategorical(key: Key, logits: ArrayLike<number>, n = 1): Int32Array {
  checkCount('hostCategorical', n);
  const classes = logits.length;
  checkArgument(classes > 0, 'hostCategorical', 'logits', 'at least one category', classes);
  const noise = hostGumbel(key, n * classes);
  const out = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    let best = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < classes; c++) {
      const value = logits[c]! + noise[i * classes + c]!;
      if (value > best) {
        best = value;
        out[i] = c;
      }
    }
  }
  return out;
}

/** Options of `integers`. */
export interface IntegersOptions {
  /** Smallest value, 0 by default. */
  min?: number;
  /** Upper end, excluded. */
  max: number;
}

/** `n` integers in [min, max), each equally likely to the bit: words that would bias the remainder are drawn anew. */
export function hostIntegers(key: Key, n: number, { min = 0, max }: IntegersOptions): Int32Array {
  checkCount('hostIntegers', n);
  const int32 = (x: number) => Number.isInteger(x) && x >= -0x80000000 && x <= 0x80000000;
  checkArgument(int32(min) && int32(max) && min < max, 'integers', 'options', 'min < max within int32', [
    min,
    max,
  ]);
  const out = new Int32Array(n);
  const next = bounded(key);
  for (let i = 0; i < n; i++) out[i] = min + next(max - min);
  return out;
}

/** A uniformly random order of 0 … n − 1 (Fisher and Yates). */
export function permutation(key: Key, n: number): Int32Array {
  checkArgument(
    Number.isInteger(n) && n >= 0 && n <= 0x7fffffff,
    'permutation',
    'n',
    'an integer in [0, 2³¹)',
    n,
  );
  const out = new Int32Array(n);
  const next = bounded(key);
  for (let i = 0; i < n; i++) {
    const j = next(i + 1);
    out[i] = out[j]!;
    out[j] = i;
  }
  return out;
}

/** A generator of unbiased integers in [0, bound), for any sequence of bounds up to 2³². */
function bounded(key: Key): (bound: number) => number {
  const [k0, k1] = key.words();
  // Its own buffer and position: the number of words that a draw takes is not known beforehand.
  const words = new Int32Array(256);
  let position = words.length;
  let drawn = 0;
  return (bound) => {
    // Words below 2³² mod bound are the surplus that would favour small remainders.
    const surplus = 0x100000000 % bound;
    for (;;) {
      if (position === words.length) {
        fillWords(k0, k1, words, drawn);
        drawn += words.length;
        position = 0;
      }
      const word = words[position++]! >>> 0;
      if (word >= surplus) return word % bound;
    }
  };
}

/** Hands the stream of a key over, from word `from` to `n`, in chunks that stay in the processor's first cache. */
function eachChunk(
  key: Key,
  n: number,
  from: number,
  use: (words: Int32Array, start: number, length: number) => void,
): void {
  const [k0, k1] = key.words();
  const simd = threefrySimd();
  const words = simd ? simd.words : scratch;
  for (let start = from; start < n; start += CHUNK) {
    const length = Math.min(CHUNK, n - start);
    // Eight words at a time; what is beyond the end stays unread.
    if (simd) simd.fill(k0, k1, start / 2, Math.ceil(length / 8) * 8);
    else fillWords(k0, k1, words, start, length);
    use(words, start, length);
  }
}

function checkCount(fn: string, n: number): void {
  checkArgument(Number.isSafeInteger(n) && n >= 0, fn, 'n', 'an integer ≥ 0', n);
}

/** The largest float32 below the float32 `x`. */
function floatBelow(x: number): number {
  const value = new Float32Array([x]);
  const bits = new Int32Array(value.buffer);
  if (x === 0) bits[0] = 0x80000001 | 0;
  else bits[0] = bits[0]! + (x > 0 ? -1 : 1);
  return value[0]!;
}

function floatAtMost(x: number): number {
  const rounded = Math.fround(x);
  return rounded > x ? floatBelow(rounded) : rounded;
}

function floatAtLeast(x: number): number {
  return -floatAtMost(-x);
}

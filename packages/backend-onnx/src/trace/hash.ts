import type { Attrs, AttrValue } from './graph';

/**
 * A hash of 2 × 32 bits that is fed integers: enough to tell every program of a process apart.
 * The two halves are murmur3's rounds with different constants.
 */
export class Hash {
  a = 0;
  b = 0;

  reset(): this {
    this.a = 0x2545f491;
    this.b = 0x6c078965;
    return this;
  }

  int(k: number): void {
    const a = Math.imul(k, 0xcc9e2d51);
    const b = Math.imul(k, 0x9e3779b1);
    this.a = (Math.imul(rotated(this.a ^ Math.imul((a << 15) | (a >>> 17), 0x1b873593)), 5) + 0xe6546b64) | 0;
    this.b = (Math.imul(rotated(this.b ^ Math.imul((b << 16) | (b >>> 16), 0x85ebca6b)), 5) + 0x561ccd1b) | 0;
  }

  ints(values: readonly number[]): void {
    this.int(values.length);
    for (let i = 0; i < values.length; i++) this.int(values[i]!);
  }

  number(value: number): void {
    if ((value | 0) === value && value !== 0) {
      this.int(value);
      return;
    }
    // Fractions, large numbers, NaN, infinities and the sign of zero, by their bits.
    double[0] = value;
    this.int(0x7ff1);
    this.int(bits[0]!);
    this.int(bits[1]!);
  }

  string(text: string): void {
    let id = strings.get(text);
    if (id === undefined) {
      id = strings.size;
      strings.set(text, id);
    }
    this.int(id);
  }

  attrs(attrs: Attrs): void {
    for (const name in attrs) {
      this.string(name);
      this.attr(attrs[name]!);
    }
  }

  private attr(value: AttrValue): void {
    if (typeof value === 'number') this.number(value);
    else if (typeof value === 'string') this.string(value);
    else if (typeof value === 'boolean') this.int(value ? 1 : 0);
    else {
      this.int(value.length);
      for (let i = 0; i < value.length; i++) this.number(value[i]!);
    }
  }

  /** The hash as a key of maps. */
  get key(): string {
    return `${this.a >>> 0}.${this.b >>> 0}`;
  }
}

const rotated = (h: number) => (h << 13) | (h >>> 19);
const double = new Float64Array(1);
const bits = new Int32Array(double.buffer);
/** Numbers for the few words that programs are made of. */
const strings = new Map<string, number>();

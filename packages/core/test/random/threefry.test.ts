import { describe, expect, it } from 'vitest';
import { fillWords, threefry2x32 } from '../../src/random/threefry';

const words = (...text: string[]) => text.map((w) => Number.parseInt(w, 16));

describe('threefry2x32', () => {
  // Random123 1.14, tests/kat_vectors, "threefry2x32 20": counter, key, result.
  it.each([
    [words('00000000', '00000000'), words('00000000', '00000000'), words('6b200159', '99ba4efe')],
    [words('ffffffff', 'ffffffff'), words('ffffffff', 'ffffffff'), words('1cb996fc', 'bb002be7')],
    [words('243f6a88', '85a308d3'), words('13198a2e', '03707344'), words('c4923a9c', '483df7a0')],
  ])('gives the published words: counter %j, key %j', ([x0, x1], [k0, k1], expected) => {
    expect(threefry2x32(k0!, k1!, x0!, x1!)).toEqual(expected);
  });
});

describe('fillWords', () => {
  const [k0, k1] = [0x13198a2e, 0x03707344];

  it('lays out counter i as words 2i and 2i + 1, also from an offset and for odd lengths', () => {
    const out = new Int32Array(7);
    fillWords(k0, k1, out, 4);
    const expected = [2, 3, 4, 5].flatMap((i) => threefry2x32(k0, k1, i, 0)).slice(0, 7);
    expect([...new Uint32Array(out.buffer)]).toEqual(expected);
  });

  it('carries counters above 2³² into the high word', () => {
    const out = new Int32Array(4);
    fillWords(k0, k1, out, 2 * (2 ** 32 - 1));
    const expected = [threefry2x32(k0, k1, 0xffffffff, 0), threefry2x32(k0, k1, 0, 1)].flat();
    expect([...new Uint32Array(out.buffer)]).toEqual(expected);
  });
});

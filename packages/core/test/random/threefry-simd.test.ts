import { describe, expect, it } from 'vitest';
import { fillWords } from '../../src/random/threefry';
import { SIMD_WORDS, threefrySimd } from '../../src/random/threefry-simd';

const [k0, k1] = [0x13198a2e, 0xf3707344];
const simd = threefrySimd();

describe('threefrySimd', () => {
  it('is there, since this engine has WebAssembly with vectors', () => {
    expect(simd).not.toBeNull();
  });

  it.each([
    [0, 8],
    [0, SIMD_WORDS],
    [12345, 64],
    [2 ** 31 - 2, 16],
    [2 ** 32, 1024],
    [2 ** 40 + 3, 8],
  ])('makes the words of the scalar generator: counter %d, %d words', (block, count) => {
    const expected = new Int32Array(count);
    fillWords(k0, k1, expected, 2 * block);
    simd!.fill(k0, k1, block, count);
    expect([...simd!.words.subarray(0, count)]).toEqual([...expected]);
  });

  it.each([1, 6554, 0x8000, 0xffff])('makes two factors of each word: below %d is dropped', (dropped) => {
    const words = new Int32Array(SIMD_WORDS);
    fillWords(k0, k1, words, 14);
    const expected = [...words].flatMap((word) =>
      [word & 0xffff, word >>> 16].map((half) => (half < dropped ? 0 : Math.fround(1.1))),
    );
    simd!.mask(k0, k1, 7, SIMD_WORDS, dropped, 1.1);
    expect([...simd!.factors]).toEqual(expected);
  });
});

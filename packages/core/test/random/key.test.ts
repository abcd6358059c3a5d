import { ArgumentError, randomKey } from '@poiesis/core';
import { describe, expect, it } from 'vitest';
import { hostBits, hostNormal, hostUniform, keyFromWords, rebind, traceableKey } from '../../src/random';
import { threefry2x32 } from '../../src/random/threefry';
import { correlation, fingerprint } from './statistics';

const name = (key: { words(): readonly [number, number] }) => key.words().join();

describe('randomKey', () => {
  it('is the seed, low word first, modulo 2⁶⁴', () => {
    expect(randomKey(7).words()).toEqual([7, 0]);
    expect(randomKey(2 ** 40 + 5).words()).toEqual([5, 256]);
    expect(randomKey(-1).words()).toEqual([0xffffffff, 0xffffffff]);
    expect(randomKey((1n << 64n) + 3n).words()).toEqual([3, 0]);
    expect(randomKey(0x0370734413198a2en).words()).toEqual([0x13198a2e, 0x03707344]);
  });

  it('refuses what is no seed', () => {
    for (const seed of [0.5, Number.NaN, 2 ** 60, '1'] as number[]) {
      expect(() => randomKey(seed)).toThrow(ArgumentError);
    }
  });
});

describe('Key', () => {
  const key = randomKey(42);

  it('derives children by the documented counters', () => {
    const [k0, k1] = key.words();
    expect(key.split(3)[2]!.words()).toEqual(threefry2x32(k0, k1, 2, 0x40000000));
    expect(key.fold(9).words()).toEqual(threefry2x32(k0, k1, 9, 0x80000000));
    expect(key.fold(3 * 2 ** 32 + 9).words()).toEqual(threefry2x32(k0, k1, 9, 0x80000003));
    expect(hostBits(key, 2)).toEqual(Uint32Array.from(threefry2x32(k0, k1, 0, 0)));
  });

  it('gives child i independently of the number of children', () => {
    expect(key.split(2).map(name)).toEqual(key.split(5).slice(0, 2).map(name));
    expect(key.split().length).toBe(2);
    expect(key.split(0)).toEqual([]);
  });

  it('gives distinct keys for distinct derivations', () => {
    const names = new Set([name(key)]);
    for (const child of key.split(500)) names.add(name(child));
    for (let i = 0; i < 500; i++) names.add(name(key.fold(i)));
    for (let i = 0; i < 100; i++) names.add(name(key.fold(i).fold(1)));
    for (let i = 0; i < 100; i++) names.add(name(key.fold(1).split(100)[i]!));
    names.add(name(key.fold(Number.MAX_SAFE_INTEGER)));
    expect(names.size).toBe(1 + 500 + 500 + 100 + 100 + 1);
  });

  it('refuses bad arguments', () => {
    expect(() => key.split(-1)).toThrow('Key.split(n): expected an integer ≥ 0, got -1');
    expect(() => key.fold(0.5)).toThrow(ArgumentError);
    expect(() => key.fold(-1)).toThrow(ArgumentError);
  });

  it('survives being derived from itself a million times, in memory and on the stack', () => {
    let chain = randomKey(0);
    for (let i = 0; i < 200_000; i++) chain = chain.fold(0);
    expect(chain.words()).toHaveLength(2);
  });

  it('can be saved as words', () => {
    expect(name(keyFromWords(key.fold(3).words()))).toBe(name(key.fold(3)));
  });
});

describe('independence of streams', () => {
  const parent = randomKey(11);
  const n = 20_000;
  const streams = [parent, ...parent.split(4), ...[0, 1, 2, 3].map((i) => parent.fold(i)), randomKey(12)];

  it('shows no correlation between parent, siblings, and neighbouring seeds, at lags 0 and 1', () => {
    const draws = streams.map((key) => hostUniform(key, n));
    for (let i = 0; i < draws.length; i++) {
      for (let j = 0; j < draws.length; j++) {
        if (j > i) expect(Math.abs(correlation(draws[i]!, draws[j]!))).toBeLessThan(4 / Math.sqrt(n));
        const lagged = correlation(draws[i]!.subarray(1), draws[j]!.subarray(0, n - 1));
        expect(Math.abs(lagged)).toBeLessThan(4 / Math.sqrt(n));
      }
    }
  });

  it('flips half of the bits between neighbouring derivations', () => {
    let flipped = 0;
    for (let i = 0; i < 4000; i++) {
      const [a, b] = [parent.fold(i).words(), parent.fold(i + 1).words()];
      for (const w of [0, 1] as const)
        flipped += [...((a[w] ^ b[w]) >>> 0).toString(2)].filter((c) => c === '1').length;
    }
    expect(Math.abs(flipped - 128_000)).toBeLessThan(4 * Math.sqrt(4000 * 64 * 0.25));
  });
});

describe('traceableKey', () => {
  const a = randomKey(1);
  const b = randomKey(2);
  /** Every way to derive, several levels deep. */
  const derive = (key: typeof a) => [
    key,
    key.fold(5),
    ...key.split(3),
    key.split(2)[1]!.fold(7),
    key.fold(1).fold(2).split(2)[0]!,
    key.fold(2 ** 40).split(4)[3]!,
  ];

  it('starts with the words of its key', () => {
    expect(derive(traceableKey(a)).map(name)).toEqual(derive(a).map(name));
  });

  it('makes every derived key follow a rebound root', () => {
    const root = traceableKey(a);
    const derived = derive(root);
    derived[1]!.words(); // read before: nothing may go stale
    rebind(root, b);
    expect(derived.map(name)).toEqual(derive(b).map(name));
    // Derived after the rebind, from keys derived before it.
    expect(name(derived[1]!.fold(3))).toBe(name(b.fold(5).fold(3)));
    rebind(root, a.fold(9));
    expect(derived.map(name)).toEqual(derive(a.fold(9)).map(name));
    expect([...hostNormal(derived[4]!, 5)]).toEqual([...hostNormal(a.fold(9).split(3)[2]!, 5)]);
  });

  it('copies the words of the key that it is bound to', () => {
    const source = traceableKey(a);
    const root = traceableKey(b);
    rebind(root, source);
    rebind(source, b);
    expect(name(root)).toBe(name(a));
  });

  it('leaves ordinary keys alone and refuses to rebind them', () => {
    expect(() => rebind(a, b)).toThrow(ArgumentError);
    expect(() => rebind(traceableKey(a).fold(1), b)).toThrow(ArgumentError);
    expect(a.words()).toEqual([1, 0]);
  });
});

it('keeps its bits from release to release', () => {
  const key = randomKey(2024);
  expect(fingerprint(hostBits(key, 10_000))).toBe('f6848736');
});

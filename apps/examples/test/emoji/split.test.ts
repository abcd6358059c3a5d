import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitEmoji } from '../../src/emoji/split';

const families = fc.array(fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz'), {
  minLength: 30,
  maxLength: 200,
});

describe('splitEmoji', () => {
  it('puts each emoji into one part, and each family', () => {
    fc.assert(
      fc.property(families, (names) => {
        fc.pre(new Set(names).size >= 3);
        const { train, validation, test } = splitEmoji(names.map((family) => ({ family })));
        const parts = [train, validation, test];
        expect(parts.flat().sort((a, b) => a - b)).toEqual(names.map((_, i) => i));
        const sides = parts.map((part) => new Set(part.map((i) => names[i])));
        expect(sides.reduce((sum, { size }) => sum + size, 0)).toBe(new Set(names).size);
        for (const { size } of sides) expect(size).toBeGreaterThan(0);
      }),
    );
  });

  it('is decided by the families, whatever their order', () => {
    fc.assert(
      fc.property(families, (names) => {
        fc.pre(new Set(names).size >= 3);
        const test = (list: string[]) =>
          new Set(splitEmoji(list.map((family) => ({ family }))).test.map((i) => list[i]));
        expect(test([...names].reverse())).toEqual(test(names));
      }),
    );
  });

  it('keeps a tenth for the test and a twentieth for validation', () => {
    const { train, validation, test } = splitEmoji(
      Array.from({ length: 200 }, (_, i) => ({ family: `${i}` })),
    );
    expect([train.length, validation.length, test.length]).toEqual([170, 10, 20]);
  });

  it('learns from what has many variants', () => {
    const names = Array.from({ length: 600 }, (_, i) => `${i % 20 === 0 ? 'people' : i}`);
    const { train } = splitEmoji(names.map((family) => ({ family })));
    expect(train.filter((i) => names[i] === 'people')).toHaveLength(30);
  });

  it('says where there is too little', () => {
    expect(() => splitEmoji([{ family: 'a' }, { family: 'a' }])).toThrow('1 emoji to learn from are too few');
  });
});

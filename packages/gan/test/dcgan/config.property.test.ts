import { ArgumentError } from '@poiesis/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { checkConfig } from '../../src/dcgan/config';

const oddNumber = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.constantFrom(0, -1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY),
);
const odd = fc.oneof(oddNumber, fc.anything(), fc.constantFrom('28', [32], 'toString', '__proto__', 28n));
const config = fc.record(
  {
    size: fc.oneof(fc.constantFrom(28, 32, 64), odd),
    channels: fc.oneof(fc.constantFrom(1, 3), odd),
    latent: fc.oneof(fc.constant(100), odd),
    width: fc.oneof(fc.constant(8), odd),
  },
  { requiredKeys: [] },
);

it('takes a config that is right and names what is wrong of any other', () => {
  let taken = 0;
  fc.assert(
    fc.property(fc.oneof(config, fc.anything()), (given) => {
      try {
        const { size, ...counts } = checkConfig(given as never);
        taken++;
        expect([28, 32, 64]).toContain(size);
        for (const n of Object.values(counts)) expect(Number.isSafeInteger(n) && n >= 1).toBe(true);
      } catch (error) {
        if (!ArgumentError.isInstance(error)) throw error;
        expect(error.message).toMatch(/^DCGAN\(config/);
      }
    }),
    { numRuns: 1000, examples: [[{ size: 32, channels: 1 }]] },
  );
  expect(taken).toBeGreaterThan(0);
});

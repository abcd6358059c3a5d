import { describe, expect, it } from 'vitest';
import { kernelCases } from '../../scripts/support/cases';
import { type CaseResult, checkCase, forwardValues } from '../../scripts/support/check';
import { useBackend } from '../../src/backend';
import { current } from './on-backend';

// Every kernel that training may use, on this backend: values against tfjs cpu, gradients and second gradients against
// finite differences. The same cases make docs/support.md.

await useBackend('cpu');
const references = new Map(kernelCases.map((c) => [c, forwardValues(c)]));
await useBackend(current);

/** What is not right, and may stay so. Nothing that a model here needs. */
const gaps: Record<string, Partial<CaseResult>> = {
  Dilation2D: current === 'wasm' ? { forward: 'missing' } : { second: 'missing' },
  ...(current === 'wasm' && {
    Dilation2DBackpropFilter: { forward: 'missing' },
    Dilation2DBackpropInput: { forward: 'missing' },
  }),
  LRN: { second: 'missing' },
  MaxPool3D: { second: 'missing' },
  MaxPool3DGrad: { gradient: 'missing' },
};

describe.each([...new Set(kernelCases.map((c) => c.kernel))])('%s', (kernel) => {
  const cases = kernelCases.filter((c) => c.kernel === kernel).map((c) => ({ label: c.name ?? 'plain', c }));
  it.each(cases)('$label', ({ c }) => {
    const result = checkCase(c, references.get(c)!);
    const gap = gaps[kernel];
    if (gap) expect(result).toMatchObject(gap);
    else expect(result, result.note).not.toMatchObject({ note: expect.anything() });
  });
});

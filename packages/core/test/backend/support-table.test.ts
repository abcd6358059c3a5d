import { readFileSync } from 'node:fs';
import { afterAll, expect, it } from 'vitest';
import { kernelCases } from '../../scripts/support/cases';
import { supportTable, toMarkdown } from '../../scripts/support/table';
import { useBackend } from '../../src/backend';
import { current } from './on-backend';

afterAll(() => useBackend(current));

/** The published table also has the columns of a backend that is not core's. */
function withoutOnnx(line: string): string {
  const cells = line.split('|');
  return cells.length === 13 ? [...cells.slice(0, 8), ...cells.slice(11)].join('|') : line;
}

it('makes the table that stands in the docs', async () => {
  const kernels = ['Acosh', 'ArgMax', 'BatchMatMul', 'Dilation2D', 'Exp', 'Identity', 'UnsortedSegmentSum'];
  const cases = kernelCases.filter((c) => kernels.includes(c.kernel));
  const table = await supportTable(['cpu', 'wasm'], cases);
  expect(table.rows.map((r) => r.kernel)).toEqual(kernels);

  const made = toMarkdown(table).split('\n');
  const published = readFileSync(new URL('../../../../docs/support.md', import.meta.url), 'utf8')
    .split('\n## ')[0]!
    .split('\n')
    .map(withoutOnnx);
  // Every line but the rows of the other kernels, hence also the marks of these.
  expect(published.filter((line) => made.includes(line))).toEqual(made);
  expect(made).toContain('| UnsortedSegmentSum | ✓ | ✓ | ✓ | added | ✓ | ✓ | core |');
  expect(made).toContain('| Dilation2D | ✓ | ✓ | – | – | – |  | tfjs |');
});

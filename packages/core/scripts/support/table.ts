import * as tf from '@tensorflow/tfjs-core';
import { completeKernels, useBackend } from '../../src/backend';
import { gradientOrigin } from '../../src/backend/gradients';
import { type KernelCase, kernelCases, outside } from './cases';
import { type CaseResult, checkCase, forwardValues, type Outcome } from './check';

/** One kernel on one backend: the worst of its cases. */
export interface Entry extends CaseResult {
  origin: 'own' | 'added' | 'corrected' | 'fallback' | 'missing';
}

export interface SupportTable {
  backends: { name: string; device: string }[];
  rows: { kernel: string; gradient: 'tfjs' | 'core' | 'none'; entries: Record<string, Entry> }[];
}

/**
 * Runs every case of every kernel on each backend.
 * @param cases default all.
 */
export async function supportTable(
  names: readonly string[],
  cases: readonly KernelCase[] = kernelCases,
): Promise<SupportTable> {
  await useBackend('cpu');
  const references = new Map(cases.map((c) => [c, forwardValues(c)]));
  const kernels = [...new Set(cases.map((c) => c.kernel))].sort();
  const table: SupportTable = {
    backends: [],
    rows: kernels.map((kernel) => ({ kernel, gradient: gradientSource(kernel), entries: {} })),
  };
  for (const name of names) {
    const { device } = await useBackend(name);
    table.backends.push({ name, device });
    const { added, corrected } = completeKernels(name);
    for (const row of table.rows) {
      const own = cases.filter((c) => c.kernel === row.kernel);
      const before = fallbacksOf(row.kernel);
      const results = own.map((c) => checkCase(c, references.get(c)!));
      const origin = !tf.getKernel(row.kernel, name)
        ? 'missing'
        : fallbacksOf(row.kernel) > before
          ? 'fallback'
          : added.includes(row.kernel)
            ? 'added'
            : corrected.includes(row.kernel)
              ? 'corrected'
              : 'own';
      const worst = (part: 'forward' | 'gradient' | 'second') => worstOf(results.map((r) => r[part]));
      row.entries[name] = {
        origin,
        forward: worst('forward'),
        gradient: worst('gradient'),
        second: worst('second'),
        note: results.find((r) => r.note)?.note,
      };
    }
  }
  return table;
}

/** How often the current backend ran a kernel on tfjs cpu's implementation, if it counts that. */
function fallbacksOf(kernel: string): number {
  const { fallbacks } = tf.backend() as { fallbacks?: ReadonlyMap<string, number> };
  return fallbacks?.get(kernel) ?? 0;
}

function gradientSource(kernel: string): 'tfjs' | 'core' | 'none' {
  if (gradientOrigin.added.includes(kernel) || gradientOrigin.replaced.includes(kernel)) return 'core';
  return tf.getGradient(kernel) ? 'tfjs' : 'none';
}

function worstOf(outcomes: Outcome[]): Outcome {
  const order: Outcome[] = ['wrong', 'missing', 'right', 'not applicable'];
  return order.find((outcome) => outcomes.includes(outcome)) ?? 'not applicable';
}

const originMark = {
  own: '✓',
  added: 'added',
  corrected: 'corrected',
  fallback: 'cpu’s',
  missing: '–',
} as const;
const outcomeMark = { right: '✓', wrong: 'wrong', missing: '–', 'not applicable': '' } as const;

/** The table as Markdown. */
export function toMarkdown({ backends, rows }: SupportTable): string {
  const heads = backends.flatMap(({ name }) => [name, 'gradient', 'second']);
  const lines = [
    '# Kernels and gradients by backend',
    '',
    'Made by `node packages/core/scripts/support-table.mjs`, which runs every kernel: its values against tfjs cpu, its',
    'gradient against finite differences, and its second gradient (the gradient of the gradient, which gradient',
    'penalties need) against finite differences of the first.',
    '',
    ...backends.map(({ name, device }) => `- **${name}**: ${device}`),
    '',
    '| mark | meaning |',
    '|---|---|',
    '| ✓ | right; the kernel is the backend’s own |',
    '| added | right; the backend lacks it, core composes it of other kernels |',
    '| corrected | right; the backend’s own is wrong in some case, or far slower than need be, and core replaces or guards it |',
    '| cpu’s | right; it runs on tfjs cpu’s kernel, reading its inputs, in some or all of its cases |',
    '| – | missing: using it throws |',
    '| (empty) | no gradient is meant: integers, comparisons, sizes, gradients of gradients of the last order |',
    '',
    'The last column says whose gradient it is: tfjs’s, or core’s where tfjs has none or a wrong one.',
    '',
    `| kernel | ${heads.join(' | ')} | from |`,
    `|---|${heads.map(() => '---').join('|')}|---|`,
    ...rows.map(({ kernel, gradient, entries }) => {
      const cells = backends.flatMap(({ name }) => {
        const { origin, forward, gradient, second } = entries[name]!;
        return [
          forward === 'right' ? originMark[origin] : outcomeMark[forward],
          outcomeMark[gradient],
          outcomeMark[second],
        ];
      });
      const applies = backends.some(({ name }) => entries[name]!.gradient !== 'not applicable');
      return `| ${[kernel, ...cells, applies && gradient !== 'none' ? gradient : ''].join(' | ')} |`;
    }),
    '',
    `Not here, because no model needs them: ${outside.join(', ')} (strings, ragged and complex tensors, the canvas).`,
    '',
  ];
  return lines.join('\n');
}

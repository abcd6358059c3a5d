import type { Explanation } from './explanation';
import type { OperatorTime } from './profile';

/** Operators that are listed; the rest is one line. */
const LISTED = 12;

/** The report as a text for a terminal. */
export function printExplanation(e: Explanation): string {
  const { programs, nodes, flops, feeds, outputs, cache, fallbacks, passes, time } = e;
  const rate = e.runMs > 0 ? `, ${count(flops.total / e.runMs / 1e6)} GFLOP/s` : '';
  const lines = [
    `programs   ${programs.length}, compiled in ${ms(e.compileMs)}`,
    `nodes      ${nodes.recorded} recorded, ${nodes.optimized} after passes, ${nodes.onnx} in ONNX`,
    `run        ${ms(e.runMs)}${rate}`,
    `FLOPs      ${si(flops.total)}: ${si(flops.matmul)} matmul, ${si(flops.convolution)} convolution, ${si(flops.elementwise)} elementwise`,
    `feeds      ${feeds.count}, ${bytes(feeds.bytes)}`,
    `outputs    ${outputs.count}, ${bytes(outputs.bytes)}`,
    `fallbacks  ${fallbacks.map(({ kernel, count: n }) => `${kernel} ×${n}`).join(', ') || 'none'}`,
    `cache      ${cache.size} of ${cache.limit} programs, ${cache.hits} hits, ${cache.compiled} compiled in ${ms(cache.compileMs)}`,
  ];
  const rows = passes.map((p) => [p.pass, `${p.removed}`, `${p.added}`, `${p.rewritten}`]);
  if (rows.length) lines.push('', ...table(['pass', 'removed', 'added', 'rewritten'], rows));
  for (const [title, times] of [
    ['recorded by tfjs', time.tfjs],
    ['ONNX operator', time.onnx],
  ] as const) {
    if (times.length) lines.push('', ...table([title, 'nodes', 'ms', '%'], timeRows(times)));
  }
  return lines.join('\n');
}

function timeRows(times: readonly OperatorTime[]): string[][] {
  const total = times.reduce((sum, t) => sum + t.ms, 0);
  const row = (name: string, nodes: number, time: number) => [
    name,
    `${Math.round(nodes)}`,
    time.toFixed(2),
    ((100 * time) / (total || 1)).toFixed(1),
  ];
  const rows = times.slice(0, LISTED).map((t) => row(t.name, t.nodes, t.ms));
  const rest = times.slice(LISTED);
  if (rest.length) {
    const sum = (of: (t: OperatorTime) => number) => rest.reduce((s, t) => s + of(t), 0);
    rows.push(
      row(
        `${rest.length} others`,
        sum((t) => t.nodes),
        sum((t) => t.ms),
      ),
    );
  }
  return rows;
}

/** Text to the left, numbers to the right. */
function table(head: readonly string[], rows: ReadonlyArray<readonly string[]>): string[] {
  const widths = head.map((h, i) => Math.max(h.length, ...rows.map((row) => row[i]!.length)));
  return [head, ...rows].map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '),
  );
}

function ms(value: number): string {
  return `${value < 10 ? value.toFixed(2) : value.toFixed(1)} ms`;
}

function count(value: number): string {
  return value < 10 ? value.toFixed(2) : value.toFixed(0);
}

function si(value: number): string {
  for (const [unit, size] of [
    ['G', 1e9],
    ['M', 1e6],
    ['k', 1e3],
  ] as const)
    if (value >= size) return `${(value / size).toFixed(2)} ${unit}`;
  return `${value}`;
}

function bytes(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)} MB`;
  return value >= 1e3 ? `${(value / 1e3).toFixed(1)} kB` : `${value} B`;
}

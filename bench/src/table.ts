import type { Row } from './row';

/** One workload's rows, for people. */
export function table(rows: readonly Row[]): string {
  const head = [
    'contender',
    'median ms',
    'range',
    'against PyTorch',
    'set-up ms',
    'first step ms',
    'peak MB',
    'threads',
    '',
  ];
  const lines = rows.map((row) => [
    row.contender,
    short(row.median_ms),
    `${short(row.min_ms)}–${short(row.max_ms)}`,
    row.speedup_vs_pytorch === null ? '–' : `${row.speedup_vs_pytorch.toFixed(2)}×`,
    String(row.setup_ms),
    String(row.first_step_ms),
    row.rss_mb === null ? '–' : String(row.rss_mb),
    String(row.threads),
    row.engine,
  ]);
  const widths = head.map((_, i) => Math.max(...[head, ...lines].map((cells) => cells[i]!.length)));
  const left = (i: number) => i === 0 || i === head.length - 1;
  return [head, ...lines]
    .map((cells) =>
      cells.map((cell, i) => (left(i) ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '),
    )
    .map((line) => line.trimEnd())
    .join('\n');
}

/** A word for each row whose laps were too different to believe in, and for models of different sizes. */
export function doubts(rows: readonly Row[]): string[] {
  const unsteady = rows
    .filter(({ min_ms, max_ms }) => max_ms > 1.5 * min_ms)
    .map(({ contender }) => `${contender} is unsteady: did something else run meanwhile?`);
  const known = rows.filter(({ parameters }) => parameters !== null);
  const alike = known.every(({ parameters }) => parameters === known[0]!.parameters);
  return alike ? unsteady : [...unsteady, `not the same model: ${sizes(known).join(', ')} parameters`];
}

/** `onnx 1,000`: how large the model of each contender is, where it was counted. */
export function sizes(rows: readonly Row[]): string[] {
  return rows.flatMap(({ contender, parameters }) =>
    parameters === null ? [] : [`${contender} ${parameters.toLocaleString('en-US')}`],
  );
}

/** Three figures or more. */
function short(ms: number): string {
  return ms.toFixed(ms < 10 ? 2 : ms < 100 ? 1 : 0);
}

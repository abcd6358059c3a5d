import { describe, expect, it } from 'vitest';
import { median, type Result, rowsOf } from '../src/row';
import { doubts, sizes, table } from '../src/table';

const result = (contender: string, laps: number[], rss_mb: number | null = 100.4): Result => ({
  contender,
  started: { ms: 1234.5, setup_ms: 99.5, value: 1, rss_mb: 50, threads: 2, engine: `${contender} 1.0` },
  measured: { laps, steps: 60, last: { ms: 9, value: 1, rss_mb } },
});

describe('rowsOf', () => {
  const rows = rowsOf('x-train', [result('onnx', [9, 10, 8.004]), result('pytorch', [13, 12, 11, 15], null)]);

  it('takes medians and ranges of the laps, and the speed over PyTorch', () => {
    expect(rows[0]).toEqual({
      workload: 'x-train',
      contender: 'onnx',
      median_ms: 9,
      min_ms: 8,
      max_ms: 10,
      rounds: 3,
      speedup_vs_pytorch: 1.39,
      rss_mb: 100,
      threads: 2,
      setup_ms: 100,
      first_step_ms: 1235,
      steps: 60,
      engine: 'onnx 1.0',
      parameters: null,
    });
    expect(rows[1]).toMatchObject({ median_ms: 12.5, rounds: 4, speedup_vs_pytorch: 1, rss_mb: null });
  });

  it('has no speed over a PyTorch that is absent', () => {
    expect(rowsOf('x-train', [result('onnx', [9])])[0]!.speedup_vs_pytorch).toBeNull();
  });

  it('makes a table whose lines begin with the contenders', () => {
    const lines = table(rows).split('\n');
    expect(lines.map((line) => line.split(' ')[0])).toEqual(['contender', 'onnx', 'pytorch']);
    expect(lines[1]).toMatch(/9\.00 +8\.00–10\.0 +1\.39× +100 +1235 +100 +2 +onnx 1\.0$/);
  });
});

describe('doubts', () => {
  it('are had of laps that differ by more than half', () => {
    const rows = rowsOf('x-train', [result('onnx', [9, 10, 30]), result('pytorch', [10, 14])]);
    expect(doubts(rows)).toEqual(['onnx is unsteady: did something else run meanwhile?']);
  });
});

describe('sizes', () => {
  const sized = (contender: string, parameters: number | null) => {
    const { started, measured } = result(contender, [9]);
    return { contender, measured, started: { ...started, parameters } };
  };

  it('are those that were counted, and are to be the same', () => {
    const rows = rowsOf('x-train', [sized('onnx', 1200), sized('tfjs-node', null), sized('pytorch', 1200)]);
    expect(sizes(rows)).toEqual(['onnx 1,200', 'pytorch 1,200']);
    expect(doubts(rows)).toEqual([]);
    const others = rowsOf('x-train', [sized('onnx', 1200), sized('pytorch', 1199)]);
    expect(doubts(others)).toEqual(['not the same model: onnx 1,200, pytorch 1,199 parameters']);
  });
});

describe('median', () => {
  it('is the middle, or the mean of both middles, whatever the order', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 10, 2])).toBe(3);
  });
});

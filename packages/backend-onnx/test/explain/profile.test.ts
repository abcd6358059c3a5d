import { describe, expect, it } from 'vitest';
import { mergeTimes, readProfile } from '../../src/explain/profile';

const run = (ts: number, dur: number) => ({ cat: 'Session', name: 'model_run', ts, dur });
const node = (name: string, op_name: string, ts: number, dur: number) => ({
  cat: 'Node',
  name: `${name}_kernel_time`,
  ts,
  dur,
  args: { op_name },
});

describe('a profile', () => {
  it('gives times by tfjs kernel and by ONNX operator, without the first run', () => {
    const events = [
      { cat: 'Session', name: 'session_initialization', ts: 0, dur: 5 },
      node('BatchMatMul#0/MatMul_0', 'MatMul', 110, 900_000),
      run(100, 950_000),
      run(1_000_000, 4000),
      node('BatchMatMul#0/MatMul_0', 'MatMul', 1_000_010, 2000),
      node('fused BatchMatMul#3/MatMul_7', 'FusedMatMul', 1_002_010, 1000),
      run(1_010_000, 6000),
      node('BatchMatMul#0/MatMul_0', 'MatMul', 1_010_010, 4000),
      node('BatchMatMul#3/MatMul_7', 'FusedMatMul', 1_014_010, 1000),
      node('ReorderOutput', 'ReorderOutput', 1_015_010, 200),
    ];
    expect(readProfile(JSON.stringify(events))).toEqual({
      runs: 2,
      ms: 6,
      tfjs: [
        { name: 'BatchMatMul', nodes: 2, ms: 4 },
        { name: '(ONNX Runtime)', nodes: 0.5, ms: 0.1 },
      ],
      onnx: [
        { name: 'MatMul', nodes: 1, ms: 3 },
        { name: 'FusedMatMul', nodes: 1, ms: 1 },
        { name: 'ReorderOutput', nodes: 0.5, ms: 0.1 },
      ],
    });
  });

  it('of a program that did not run is none', () => {
    expect(readProfile('[{"cat":"Session","name":"session_initialization","ts":0,"dur":5}]')).toBeUndefined();
  });

  it('of several programs is their sum, longest first', () => {
    const a = [{ name: 'Add', nodes: 1, ms: 2 }];
    const b = [
      { name: 'Mul', nodes: 1, ms: 3 },
      { name: 'Add', nodes: 2, ms: 2 },
    ];
    expect(mergeTimes([a, b])).toEqual([
      { name: 'Add', nodes: 3, ms: 4 },
      { name: 'Mul', nodes: 1, ms: 3 },
    ]);
    expect(a[0]!.ms).toBe(2);
  });
});

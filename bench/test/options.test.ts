import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { parseOptions, UsageError, usage } from '../src/options';

const choices = { workloads: ['a-train', 'b-infer'], contenders: ['ours', 'theirs', 'others'] };
const parse = (...args: string[]) => parseOptions(args, choices);

describe('parseOptions', () => {
  it('takes everything where nothing is said', () => {
    expect(parse()).toEqual({
      workloads: choices.workloads,
      contenders: choices.contenders,
      rounds: 5,
      warmup: 3,
      seconds: 1,
      threads: availableParallelism(),
      json: undefined,
    });
  });

  it('takes ours beside whom it is measured against, in the known order', () => {
    expect(parse('--against', 'others')!.contenders).toEqual(['ours', 'others']);
    expect(parse('--against', 'others,theirs')!.contenders).toEqual(['ours', 'theirs', 'others']);
    expect(parse('--only', 'theirs')!.contenders).toEqual(['theirs']);
  });

  it('gives undefined where help is asked for', () => {
    expect(parse('--help', '--rounds', 'x')).toBeUndefined();
    expect(usage(choices)).toContain('theirs, others');
  });

  it.each([
    [['--workload', 'a-train,c'], '--workload: there is no "c", only a-train, b-infer'],
    [['--against', 'ours'], '--against: there is no "ours", only theirs, others'],
    [['--only', ''], '--only: there is no "", only ours, theirs, others'],
    [['--only', 'ours', '--against', 'theirs'], '--only and --against do not go together'],
    [['--rounds', '0'], '--rounds is a whole number from 1, not "0"'],
    [['--threads', '1.5'], '--threads is a whole number from 1, not "1.5"'],
    [['--seconds', 'long'], '--seconds is a number above 0, up to 600, not "long"'],
    [['--backend', 'onnx'], "Unknown option '--backend'"],
  ])('refuses %j', (args, message) => {
    expect(() => parse(...args)).toThrow(UsageError);
    expect(() => parse(...args)).toThrow(message);
  });
});

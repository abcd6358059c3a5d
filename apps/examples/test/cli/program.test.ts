import { Command } from 'commander';
import { describe, expect, it, vi } from 'vitest';
import { runCli } from '../../src/cli/program';
import { gridSize, integer } from '../../src/cli/values';
import { ExampleError } from '../../src/errors';
import { catchOutput, written } from '../output';

describe('runCli', () => {
  catchOutput();

  const action = vi.fn();
  const example = {
    name: 'toy',
    summary: 'A toy',
    command: () =>
      new Command('toy').option('--steps <n>', 'steps', integer).action((options) => action(options)),
  };
  const cli = (...args: string[]) => runCli(args, [example], 'toy');

  it('lists the examples', async () => {
    expect(await cli('list')).toBe(0);
    expect(written.out).toBe('toy  A toy\n');
  });

  it('runs the standard example where none is named', async () => {
    expect(await cli()).toBe(0);
    expect(action).toHaveBeenLastCalledWith({});
    expect(await cli('--steps', '5')).toBe(0);
    expect(action).toHaveBeenLastCalledWith({ steps: 5 });
  });

  it.each([[['--help']], [['-h']], [['toy', '--help']]])('helps with %j', async (args) => {
    expect(await cli(...args)).toBe(0);
    expect(written.out).toContain('Usage');
  });

  it.each([
    [['other']],
    [['toy', 'other']],
    [['toy', '--stepz', '1']],
    [['toy', '--steps', 'many']],
    [['toy', '--steps', '1.5']],
    [['--wrong']],
  ])('tells %j as wrong usage on standard error', async (args) => {
    expect(await cli(...args)).toBe(2);
    expect(written.out).toBe('');
    expect(written.err).toMatch(/^error: /);
  });

  it('tells a failure in one line, without a stack trace', async () => {
    action.mockRejectedValueOnce(new ExampleError('no space'));
    expect(await cli('toy')).toBe(1);
    action.mockRejectedValueOnce(new TypeError('x is undefined\n  deep inside'));
    expect(await cli('toy')).toBe(1);
    expect(written.err).toBe('no space\nx is undefined (add --verbose to see where)\n');
  });

  it('shows everything with --verbose', async () => {
    action.mockRejectedValueOnce(new ExampleError('no space', { cause: new Error('ENOSPC') }));
    expect(await cli('toy', '--verbose')).toBe(1);
    expect(written.err).toContain('program.test.ts');
    expect(written.err).toContain('ENOSPC');
  });

  it('passes on the exit code of an interrupted run', async () => {
    action.mockRejectedValueOnce(new ExampleError('Interrupted', { exitCode: 130 }));
    expect(await cli('toy')).toBe(130);
  });
});

describe('gridSize', () => {
  it('reads rows and columns', () => {
    expect(gridSize('8x4')).toEqual({ rows: 8, columns: 4 });
  });
  it.each(['8', 'x', '0x3', '8x', '-1x2', '100x100', '8 x 8', ''])('refuses "%s"', (text) => {
    expect(() => gridSize(text)).toThrow('expected ROWSxCOLUMNS');
  });
});

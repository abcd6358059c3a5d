import { contenders } from './contenders';
import { ContenderProcess } from './contenders/process';
import type { Options } from './options';
import type { Started } from './protocol';
import { measure } from './rounds';
import type { Result } from './row';

interface Running {
  contender: string;
  process: ContenderProcess;
  started: Started;
}

/**
 * Runs one workload on all the chosen contenders that can. Tells `say` who is skipped or fails, and why; `failed` is
 * called for each one that fails.
 */
export async function run(
  workload: string,
  options: Options,
  { say, failed }: { say: (line: string) => void; failed: () => void },
): Promise<Result[]> {
  const running: Running[] = [];
  const fail = (contender: string, error: unknown) => {
    say(`  ${contender} failed: ${error instanceof Error ? error.message : error}`);
    failed();
  };
  for (const { name, find } of contenders.filter((c) => options.contenders.includes(c.name))) {
    const found = await find(workload, options.threads);
    if ('absent' in found) {
      say(`  ${name} is skipped: ${found.absent}`);
      continue;
    }
    const child = new ContenderProcess(found, (line) => process.stderr.write(`[${name}] ${line}\n`));
    try {
      running.push({ contender: name, process: child, started: await child.started() });
    } catch (error) {
      fail(name, error);
      await child.end();
    }
  }
  const { rounds, warmup, seconds } = options;
  const measured = await measure(
    running.map((r) => r.process),
    { rounds, warmup, lapTime: seconds * 1000 },
  );
  for (const r of running) await r.process.end();

  return running.flatMap(({ contender, started }, i) => {
    const outcome = measured[i]!;
    if (!(outcome instanceof Error)) return [{ contender, started, measured: outcome }];
    fail(contender, outcome);
    return [];
  });
}

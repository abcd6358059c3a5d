import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Contender } from './contender';

const requirements = 'pip install -r bench/pytorch/requirements.txt';

/** PyTorch in the Python that `POIESIS_PYTHON` names, `python3` by default. */
export const pytorch: Contender = {
  name: 'pytorch',
  async find(workload, threads) {
    const python = process.env.POIESIS_PYTHON ?? 'python3';
    const program = programOf(workload);
    if (!existsSync(program)) return { absent: `there is no ${program}` };
    const reason = await missing(python);
    if (reason)
      return {
        absent: `${reason}: ${requirements}, and name that Python in POIESIS_PYTHON where it is another`,
      };
    // -B: no __pycache__ in the sources.
    return { command: python, args: ['-B', program, '--threads', String(threads)] };
  },
};

/** `gpt-train` → `bench/pytorch/gpt_train.py`, seen from `bench/dist`. */
function programOf(workload: string): string {
  return fileURLToPath(new URL(`../pytorch/${workload.replaceAll('-', '_')}.py`, import.meta.url));
}

async function missing(python: string): Promise<string | undefined> {
  try {
    await promisify(execFile)(python, ['-c', 'import torch']);
    return undefined;
  } catch (error) {
    const { stderr = '', code } = error as { stderr?: string; code?: unknown };
    if (code === 'ENOENT') return `there is no ${python}`;
    return `${python}: ${stderr.trim().split('\n').at(-1) || 'does not start'}`;
  }
}

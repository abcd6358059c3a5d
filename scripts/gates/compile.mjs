import { join } from 'node:path';
import { runBin } from '../lib/workspace.mjs';

/**
 * Type-checks, declaration files of ours included, and compiles. Errors inside other packages' declarations are not
 * ours to mend (tfjs-core 4.22 has some).
 *
 * @param {string} folder
 */
export async function compile(folder) {
  const { stdout, stderr } = await runBin(
    'typescript',
    ['-p', join(folder, 'tsconfig.json'), '--pretty', 'false'],
    {
      bin: 'tsc',
      cwd: folder,
      output: 'capture',
    },
  );
  const foreign = /node_modules[\\/](?!@poiesis[\\/])[^:]*\(\d+,\d+\): error/;
  const errors = stdout.split(/\r?\n/).filter((line) => /error TS/.test(line) && !foreign.test(line));
  if (errors.length || stderr) throw new Error([...errors, stderr].join('\n'));
}

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import type { Contender } from './contender';
import { nodeChild } from './node-child';

const name = '@tensorflow/tfjs-node';

/**
 * tfjs's native backend on libtensorflow, where somebody has installed it: in `POIESIS_TFJS_NODE`, a folder with a
 * `node_modules`, or beside the bench. It is no dependency, because its install downloads a library of 150 MB.
 */
export const tfjsNode: Contender = {
  name: 'tfjs-node',
  async find(workload, threads) {
    const folder = packageFolder();
    const how = `npm install ${name}@4.22.0 in a folder of its own, and name that in POIESIS_TFJS_NODE`;
    if (!folder) return { absent: `${name} is not installed: ${how}` };
    if (!existsSync(join(folder, 'lib')))
      return {
        absent: `${name} in ${folder} lacks its native part, which its install script makes`,
      };
    return {
      ...nodeChild('tfjs-node', workload, threads),
      env: { TF_NUM_INTRAOP_THREADS: String(threads), TF_CPP_MIN_LOG_LEVEL: '2' },
    };
  },
};

/** Loads it and returns its version. */
export function requireTfjsNode(): string {
  const require = resolver();
  require(name);
  return (require(`${name}/package.json`) as { version: string }).version;
}

function packageFolder(): string | undefined {
  try {
    return dirname(resolver().resolve(`${name}/package.json`));
  } catch {
    return undefined;
  }
}

function resolver(): NodeJS.Require {
  const folder = process.env.POIESIS_TFJS_NODE;
  return createRequire(folder ? resolve(folder, 'package.json') : import.meta.url);
}

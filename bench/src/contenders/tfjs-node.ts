import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import type { Contender } from './contender';
import { nodeChild } from './node-child';

/**
 * tfjs's native backend on libtensorflow, where somebody has installed it: in `POIESIS_TFJS_NODE`, a folder with a
 * `node_modules`, or beside the bench. It is no dependency, because its install downloads a library of 150 MB.
 */
export const tfjsNode: Contender = {
  name: 'tfjs-node',
  async find(workload, threads) {
    const folder = packageFolder();
    const how =
      'npm install @tensorflow/tfjs-node@4.22.0 in a folder of its own, and name that in POIESIS_TFJS_NODE';
    if (!folder) return { absent: `@tensorflow/tfjs-node is not installed: ${how}` };
    if (!existsSync(join(folder, 'lib')))
      return {
        absent: `@tensorflow/tfjs-node in ${folder} lacks its native part, which its install script makes`,
      };
    return {
      ...nodeChild('tfjs-node', workload, threads),
      env: { TF_NUM_INTRAOP_THREADS: String(threads), TF_CPP_MIN_LOG_LEVEL: '2' },
    };
  },
};

export function requireTfjsNode(): void {
  resolver()('@tensorflow/tfjs-node');
}

function packageFolder(): string | undefined {
  try {
    return dirname(resolver().resolve('@tensorflow/tfjs-node/package.json'));
  } catch {
    return undefined;
  }
}

function resolver(): NodeJS.Require {
  const folder = process.env.POIESIS_TFJS_NODE;
  return createRequire(folder ? resolve(folder, 'package.json') : import.meta.url);
}

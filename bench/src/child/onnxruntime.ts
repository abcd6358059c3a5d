import { createRequire } from 'node:module';
import { plainModels } from '../plain';
import type { Engine } from './engine';

export const start: Engine = async (workload, threads) => {
  const prepare = await plainModels[workload]!();
  const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string };
  return { ...(await prepare(threads)), engine: `onnxruntime-node ${version}`, threads };
};

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import type { Contender } from './contender';
import { nodeChild } from './node-child';

const name = '@huggingface/transformers';

/** The folders of `bench/pytorch/export_clip.py` with the models of the workloads, by the workloads' names. */
export const transformersModels: Readonly<Record<string, { folder: string; batch: number }>> = {
  'clip-encode': { folder: 'clip-vit-base-patch32', batch: 16 },
  'clip-encode-1': { folder: 'clip-vit-base-patch32', batch: 1 },
};

/**
 * transformers.js, where somebody has installed it, with models that were exported beside it: in
 * `POIESIS_TRANSFORMERS_JS`, a folder with a `node_modules`. Nothing is downloaded.
 */
export const transformersJs: Contender = {
  name: 'transformers.js',
  async find(workload, threads) {
    const model = transformersModels[workload];
    if (!model) return { absent: workload.endsWith('-train') ? 'it does not train' : 'it has no such model' };
    const folder = process.env.POIESIS_TRANSFORMERS_JS;
    const how = `npm install ${name}@4.3.1 in a folder of its own, and name that in POIESIS_TRANSFORMERS_JS`;
    if (!folder) return { absent: `${name} is not installed: ${how}` };
    try {
      transformersEntry(folder);
    } catch {
      return { absent: `there is no ${name} in ${folder}: ${how}` };
    }
    if (!existsSync(join(folder, model.folder, 'onnx', 'vision_model.onnx')))
      return {
        absent: `there is no ${model.folder} in ${folder}: python bench/pytorch/export_clip.py ${folder}`,
      };
    return nodeChild('transformers.js', workload, threads);
  },
};

/** The file to import, for Node. */
export function transformersEntry(folder: string): string {
  return createRequire(resolve(folder, 'package.json')).resolve(name);
}

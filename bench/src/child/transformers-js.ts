import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { randomKey } from '@poiesis/core';
import { transformersEntry, transformersModels } from '../contenders/transformers-js';
import { pictures } from '../workloads/pictures';
import type { Engine } from './engine';

/** What is used of it here; it is no dependency. */
interface TransformersJs {
  env: { allowRemoteModels: boolean; localModelPath: string };
  CLIPVisionModelWithProjection: {
    from_pretrained(model: string, options: object): Promise<ClipVisionModel>;
  };
  Tensor: new (type: 'float32', data: Float32Array, dims: number[]) => unknown;
}
interface ClipVisionModel {
  (inputs: { pixel_values: unknown }): Promise<{ image_embeds: { data: Float32Array } }>;
  dispose(): Promise<unknown>;
}

const size = 224;

/** Embeds pictures by a model that was exported beforehand: ../../pytorch/export_clip.py. */
export const start: Engine = async (workload, threads) => {
  const root = resolve(process.env.POIESIS_TRANSFORMERS_JS!);
  const { folder, batch } = transformersModels[workload]!;
  const entry = transformersEntry(root);
  const { env, CLIPVisionModelWithProjection, Tensor } = createRequire(import.meta.url)(
    entry,
  ) as TransformersJs;
  env.allowRemoteModels = false;
  env.localModelPath = root;
  const options = { dtype: 'fp32', device: 'cpu', session_options: { intraOpNumThreads: threads } };
  const model = await CLIPVisionModelWithProjection.from_pretrained(folder, options);
  const [, data, draws] = randomKey(1).split(3);
  const set = pictures(data!, 32, size * size * 3);
  const { parameters } = JSON.parse(readFileSync(join(root, folder, 'parameters.json'), 'utf8')) as {
    parameters: number;
  };
  return {
    parameters,
    threads,
    engine: engineOf(entry),
    async step(index) {
      const pixels = set.gather(draws!.fold(index), batch);
      const pixel_values = new Tensor('float32', pixels, [batch, 3, size, size]);
      const { image_embeds } = await model({ pixel_values });
      return image_embeds.data[0]!;
    },
    dispose: () => void model.dispose(),
  };
};

function engineOf(entry: string): string {
  const require = createRequire(entry);
  const versionOf = (file: string) => (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
  const own = versionOf(join(dirname(entry), '..', 'package.json'));
  return `transformers.js ${own}, onnxruntime-node ${versionOf(require.resolve('onnxruntime-node/package.json'))}`;
}

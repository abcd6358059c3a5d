import '@poiesis/backend-onnx';
import { imageGrid, type StateDict, useBackend } from '@poiesis/core';
import { readSafetensors, writePng } from '@poiesis/core/node';
import { DCGAN, type DCGANConfig } from '@poiesis/gan';
import { Command, Option } from 'commander';
import { gridSize, integer } from '../cli/values';
import { ExampleError } from '../errors';
import { userPath } from '../run/paths';

interface SampleFlags {
  model: string;
  grid: { rows: number; columns: number };
  seed: number;
  out: string;
  backend: string;
  quiet?: boolean;
}

export function ganSample(): Command {
  return new Command('sample')
    .summary('draw pictures with a trained model')
    .description(
      'Draws a grid of pictures from a trained generator.\n\n' +
        'The model is a .safetensors file: of a run, one of its checkpoints, or a DCGAN generator saved by PyTorch.',
    )
    .requiredOption('--model <file>', 'the trained model')
    .addOption(
      new Option('--grid <rows>x<columns>', 'how many pictures')
        .argParser(gridSize)
        .default({ rows: 8, columns: 8 }, '8x8'),
    )
    .option('--seed <n>', 'seed of the noise; the same seed gives the same pictures', integer, 1)
    .option('--out <file>', 'where the PNG goes', 'gan-samples.png')
    .option('--backend <name>', 'what to compute on: auto, onnx, wasm, cpu', 'auto')
    .option('--quiet', 'write nothing but errors')
    .action(sample);
}

async function sample({ model: file, grid, seed, out, backend, quiet }: SampleFlags): Promise<void> {
  const path = userPath(file);
  const { weights, config } = findGenerator(await readSafetensors(path), path);
  await useBackend(backend);
  const model = new DCGAN(config, { seed: 0 });
  model.generator.loadStateDict(weights);
  const images = model.sample(grid.rows * grid.columns, { seed });
  const picture = userPath(out);
  await writePng(picture, await imageGrid(images, { columns: grid.columns }));
  if (!quiet) process.stdout.write(`${picture}\n`);
}

/** First layer of a sequence: PyTorch's tutorial calls it `main`, most others `model`. */
const FIRST = /^(?<prefix>.*?)(?<sequence>model|main)\.0\.weight$/;

/**
 * The generator among the tensors of a file, under its own names, and the config that their shapes tell. It may be
 * alone (`model.0.weight`), a part of a GAN (`generator.model.0.weight`), or one of a checkpoint's; an average of
 * weights is preferred.
 */
export function findGenerator(state: StateDict, file: string): { weights: StateDict; config: DCGANConfig } {
  const found = Object.keys(state)
    .map((name) => FIRST.exec(name)?.groups as { prefix: string; sequence: string } | undefined)
    .filter((place) => place !== undefined)
    // A discriminator begins with convolution and activation; after a generator's first layer comes a normalization.
    .filter(({ prefix, sequence }) => `${prefix}${sequence}.1.running_mean` in state);
  const place = found.find(({ prefix }) => /\bema\b|average/i.test(prefix)) ?? found[0];
  if (!place) throw new ExampleError(`${file} holds no DCGAN generator (no tensor like model.0.weight)`);
  const start = `${place.prefix}${place.sequence}.`;
  const weights: StateDict = {};
  for (const [name, tensor] of Object.entries(state)) {
    if (name.startsWith(start)) weights[`model.${name.slice(start.length)}`] = tensor;
  }
  return { weights, config: configOf(weights, file) };
}

/** On disk a transposed convolution is `[in, out, kernel, kernel]`. */
function configOf(weights: StateDict, file: string): DCGANConfig {
  const convolutions = Object.entries(weights)
    .filter(([, { shape }]) => shape.length === 4)
    .sort(([a], [b]) => Number(a.split('.')[1]) - Number(b.split('.')[1]))
    .map(([, { shape }]) => shape);
  const kernels = convolutions.map(([, , kernel]) => kernel).join();
  const size = ({ '4,3,4,4': 28, '4,4,4,4': 32, '4,4,4,4,4': 64 } as const)[kernels];
  const [first, last] = [convolutions[0], convolutions.at(-1)];
  if (!size || !first || !last) {
    throw new ExampleError(
      `${file}: no DCGAN generator for 28, 32 or 64 pixels has kernels of sizes ${kernels || '(none)'}`,
    );
  }
  return { size, latent: first[0]!, width: last[0]!, channels: last[1]! };
}

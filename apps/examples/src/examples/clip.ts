import { dirname, join } from 'node:path';
import { augment, clipStep, infoNCE } from '@poiesis/clip';
import { adamW, cosine } from '@poiesis/core';
import * as v from 'valibot';
import { integer, number } from '../cli/values';
import { emojiBatch, emojiTokenizer, newEmojiClip } from '../clip/emoji-clip';
import { CHANGES, captionsOf, SEEN, SIZE, UNSEEN } from '../clip/emoji-task';
import { Gallery } from '../clip/gallery';
import { clipMetadata } from '../clip/model-file';
import { contactSheet, similarityMatrix } from '../clip/pictures';
import { emojiRecall } from '../clip/recall';
import { EmojiBatches } from '../emoji/batches';
import { emojiData } from '../emoji/prepare';
import { splitEmoji } from '../emoji/split';
import { countSchema, shareSchema } from '../run/config';
import { trainingExample } from '../run/training';
import { writeFileWhole } from '../run/write-file';
import { clipIndex } from './clip-index';
import { clipSearch } from './clip-search';

/** What the contact sheet asks for, among pictures that were not learned from. */
const QUERIES = [
  'happy cat',
  'sad face',
  'red heart',
  'fruit',
  'musical instrument',
  'flag with a star',
  'woman working',
  'rainy weather',
];
const FOUND = 8;
/** Rows and columns of the similarity matrix. */
const MATRIX = 16;

export const clip = trainingExample({
  name: 'clip',
  summary: 'CLIP on emoji: learns to connect pictures and their names',
  description:
    'Learns from the emoji of Google and Twitter (npm packages emoji-datasource-google and -twitter), named by CLDR and\n' +
    'emojilib, and is tested on a tenth of the emoji, seen in no style, and on the other emoji in the style of Microsoft\n' +
    '(@lobehub/fluent-emoji-3d), which it has not seen. The first run installs these packages into the folder of\n' +
    '--data-dir: a download of 160 MB, of which 50 MB are kept, and 40 MB made of them.\n\n' +
    'metrics.json tells recall: the share of names whose picture is among the first 1, 5, 10 of all that are tested, and\n' +
    'of pictures whose name is.',
  // A few minutes on two cores.
  defaults: {
    backend: 'auto',
    steps: 600,
    batch: 256,
    seed: 1,
    dim: 128,
    embedDim: 128,
    layers: 4,
    textLayers: 2,
    patch: 8,
    patchDropout: 0.5,
    lr: 1e-3,
    warmup: 100,
    weightDecay: 0.1,
    evaluateEvery: 100,
  },
  entries: {
    /** Width of both towers, and of the space that they share. */
    dim: v.pipe(countSchema, v.multipleOf(32)),
    embedDim: countSchema,
    layers: countSchema,
    textLayers: countSchema,
    patch: v.picklist([4, 6, 8, 12, 16]),
    patchDropout: shareSchema,
    lr: v.pipe(v.number(), v.gtValue(0)),
    warmup: countSchema,
    weightDecay: v.pipe(v.number(), v.minValue(0)),
    evaluateEvery: countSchema,
  },
  options: (command) =>
    command
      .option('--dim <n>', 'features of a token, a multiple of 32 (default: 128)', integer)
      .option('--embed-dim <n>', 'features of a picture or a text (default: 128)', integer)
      .option('--layers <n>', 'layers of the image tower (default: 4)', integer)
      .option('--text-layers <n>', 'layers of the text tower (default: 2)', integer)
      .option(
        '--patch <n>',
        `pixels of a patch of the picture's ${SIZE}: 4, 6, 8, 12, 16 (default: 8)`,
        integer,
      )
      .option('--patch-dropout <x>', 'share of the patches that a step leaves out (default: 0.5)', number)
      .option('--lr <x>', 'highest learning rate (default: 1e-3)', number)
      .option('--warmup <n>', 'steps until it is reached (default: 100)', integer)
      .option('--weight-decay <x>', 'of AdamW (default: 0.1)', number)
      .option('--evaluate-every <n>', 'steps between two validations (default: 100)', integer),

  async setUp({ config, dataDir, console, signal }) {
    const { seed, batch, steps, lr, warmup, weightDecay } = config;
    const onProgress = (label: string, done: number, total: number) => console.progress(label, done, total);
    const set = await emojiData({ size: SIZE, dataDir, signal, onProgress });
    const { train, validation, test } = splitEmoji(set.emoji);
    console.say(
      `${train.length} emoji to learn, ${validation.length} for validation, ${test.length} for the test`,
    );

    const clip = newEmojiClip(emojiTokenizer(captionsOf(set, train)), { size: SIZE, ...config }, { seed });
    const { model } = clip;
    const step = clipStep(model, {
      objective: infoNCE,
      optimizer: adamW({
        lr: cosine(lr, { steps, warmup: Math.min(warmup, steps - 1) }),
        beta2: 0.98,
        eps: 1e-6,
        weightDecay,
        clip: { norm: 1 },
        // As open_clip: what is no matrix does not decay.
        groups: [{ match: /(^|\.)ln_\w+\.|\.?bias$|class_embedding|logit_scale/, weightDecay: 0 }],
      }),
    });
    const unseen = new Set([...test, ...validation]);

    return {
      step,
      batches: new EmojiBatches(set, {
        emoji: train,
        styles: SEEN,
        batchSize: batch,
        seed,
        augment: (image, key) => augment(key, image, { size: SIZE, ...CHANGES }),
        collate: (pairs) => emojiBatch(clip, pairs),
      }),
      weights: () => model.stateDict(),
      metadata: clipMetadata(clip),
      checkpointEvery: 100,
      evaluate: async () => {
        const { textToImage, imageToText } = await emojiRecall(clip, set, {
          emoji: validation,
          styles: SEEN,
        });
        return { textToImageAt5: textToImage.at5, imageToTextAt5: imageToText.at5 };
      },
      evaluateEvery: config.evaluateEvery,
      async sample(file) {
        const gallery = await Gallery.of(clip, set, {
          accept: (style, emoji) => style === UNSEEN || unseen.has(emoji),
        });
        const rows = [];
        for (const title of QUERIES) {
          const found = await gallery.search(title, { k: FOUND });
          rows.push({
            title,
            found: found.map(({ emoji, image }) => ({ image, label: set.emoji[emoji]!.name })),
          });
        }
        await writeFileWhole(file, await contactSheet(rows));
        await writeFileWhole(join(dirname(file), 'similarity.png'), await similarities());
      },
      figures: async () => {
        const testing = (done: number, total: number) => console.progress('Testing', done, total);
        const unseenEmoji = await emojiRecall(clip, set, { emoji: test, styles: SEEN, onProgress: testing });
        const unseenStyle = await emojiRecall(clip, set, { emoji: train, styles: [UNSEEN] });
        for (const [what, { textToImage, imageToText }] of Object.entries({ unseenEmoji, unseenStyle })) {
          console.say(`${what}`);
          console.say(`  picture of a name: ${inPercent(textToImage)}`);
          console.say(`  name of a picture: ${inPercent(imageToText)}`);
        }
        const { images, ...ofEmoji } = unseenEmoji;
        const { images: styleImages, ...ofStyle } = unseenStyle;
        return {
          recall: { unseenEmoji: ofEmoji, unseenStyle: ofStyle },
          testEmoji: test.length,
          testImages: images + styleImages,
          trainEmoji: train.length,
          parameters: model.parameterCount(),
        };
      },
    };

    /** Some of the test emoji, each with each other's name. */
    async function similarities() {
      const shown = test
        .filter((_, i) => i % Math.max(1, Math.floor(test.length / MATRIX)) === 0)
        .slice(0, MATRIX);
      const texts = shown.map((i) => set.emoji[i]!.name);
      const images = shown.map((i) => set.image(SEEN[0]!, i));
      const [a, b] = [await clip.embedTexts(texts), await clip.embedImages(images)];
      const [x, y] = [await a.data(), await b.data()];
      a.dispose();
      b.dispose();
      const dim = clip.embedDim;
      const cosines = shown.flatMap((_, j) =>
        shown.map((_, i) => {
          let sum = 0;
          for (let k = 0; k < dim; k++) sum += x[j * dim + k]! * y[i * dim + k]!;
          return sum;
        }),
      );
      return similarityMatrix(texts, images, cosines);
    }
  },

  next: (model) => `Search: npm start -- clip search --model ${dirname(model)} --query "happy cat"`,
  actions: [clipSearch, clipIndex],
});

function inPercent({ at1, at5, at10 }: { at1: number; at5: number; at10: number }): string {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  return `first ${percent(at1)}, of the first 5 ${percent(at5)}, of the first 10 ${percent(at10)}`;
}

// `node quality/dist/clip-emoji-export.js --run DIR --data-dir DIR --out DIR`
// Writes what a run of `npm start -- clip` has learned from and was tested on, for another program to do the same: the
// very pictures, changed as they were, and the very captions of every step.
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { augment } from '@poiesis/clip';
import { emojiTokenizer } from '../../apps/examples/src/clip/emoji-clip';
import { CHANGES, captionsOf, SEEN, SIZE, UNSEEN } from '../../apps/examples/src/clip/emoji-task';
import { EmojiBatches, type Pair } from '../../apps/examples/src/emoji/batches';
import { EmojiSet, emojiFile, type Style } from '../../apps/examples/src/emoji/emoji-set';
import { splitEmoji } from '../../apps/examples/src/emoji/split';

const { values } = parseArgs({
  options: { run: { type: 'string' }, 'data-dir': { type: 'string' }, out: { type: 'string' } },
});
const [run, dataDir, out] = [values.run!, values['data-dir']!, values.out!];

const config = JSON.parse(await readFile(join(run, 'config.json'), 'utf8'));
const set = await EmojiSet.read(emojiFile(dataDir, SIZE));
if (!set) throw new Error(`no emoji in ${dataDir}`);
const { train, test } = splitEmoji(set.emoji);
const tokenizer = emojiTokenizer(captionsOf(set, train));

const batches = new EmojiBatches<readonly Pair[]>(set, {
  emoji: train,
  styles: SEEN,
  batchSize: config.batch,
  seed: config.seed,
  augment: (image, key) => augment(key, image, { size: SIZE, ...CHANGES }),
  collate: (pairs) => pairs,
});
const pixels = await open(join(out, 'pixels.u8'), 'w');
const tokens = await open(join(out, 'tokens.i32'), 'w');
let step = 0;
for await (const { batch } of batches.batches()) {
  await pixels.write(Buffer.concat(batch.map(({ image }) => image.data)));
  await tokens.write(rows(batch.map(({ caption }) => caption)));
  step += 1;
  if (step === config.steps) break;
}
await pixels.close();
await tokens.close();

/** A test: names, and of each style pictures with the place of their name. */
async function exportTest(name: string, emoji: readonly number[], styles: readonly Style[]) {
  await writeFile(join(out, `${name}.names.i32`), rows(emoji.map((i) => set!.emoji[i]!.name)));
  for (const style of styles) {
    const drawn = emoji.flatMap((i, place) => (set!.has(style, i) ? [place] : []));
    const images = drawn.map((place) => set!.image(style, emoji[place]!).data);
    await writeFile(join(out, `${name}.${style}.u8`), Buffer.concat(images));
    await writeFile(join(out, `${name}.${style}.i32`), Buffer.from(Int32Array.from(drawn).buffer));
  }
  return styles;
}

function rows(texts: readonly string[]): Buffer {
  return Buffer.concat(texts.map((text) => Buffer.from(tokenizer.row(text).buffer)));
}

const tests = {
  unseenEmoji: await exportTest('unseenEmoji', test, SEEN),
  unseenStyle: await exportTest('unseenStyle', train, [UNSEEN]),
};
const { vocabSize, contextLength, endToken } = tokenizer;
const described = { ...config, size: SIZE, vocabSize, contextLength, endToken, tests };
await writeFile(join(out, 'config.json'), `${JSON.stringify(described, null, 2)}\n`);

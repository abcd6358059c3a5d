import '@poiesis/backend-onnx';
import { join } from 'node:path';
import { type CLIP, EmbeddingIndex } from '@poiesis/clip';
import { loadIndex, readPicture } from '@poiesis/clip/node';
import { type HostImage, useBackend } from '@poiesis/core';
import { Command } from 'commander';
import { integer } from '../cli/values';
import { SIZE } from '../clip/emoji-task';
import { character, Gallery } from '../clip/gallery';
import { indexModel, readMeta } from '../clip/index-meta';
import { loadClip } from '../clip/model-file';
import { contactSheet } from '../clip/pictures';
import { cacheFolder } from '../data/cache';
import { plainText } from '../emoji/captions';
import type { EmojiSet } from '../emoji/emoji-set';
import { emojiData } from '../emoji/prepare';
import { splitEmoji } from '../emoji/split';
import { ExampleError, exitCodes, oneLine } from '../errors';
import { runConsole } from '../run/console';
import { userPath } from '../run/paths';
import { writeFileWhole } from '../run/write-file';

interface SearchFlags {
  model?: string;
  query?: string;
  image?: string;
  index?: string;
  best: number;
  out: string;
  dataDir: string;
  backend: string;
  quiet?: boolean;
}

export function clipSearch(): Command {
  return new Command('search')
    .summary('find pictures by words, or words for a picture')
    .description(
      'With --query: the emoji whose pictures fit the words best or, with --index, the pictures of that index; also as\n' +
        'a picture. With --image: the names of emoji that fit a picture best or, with --index, the pictures that are most\n' +
        'like it. The number before each is the cosine of the two embeddings, 1 the best.',
    )
    .option('--model <dir>', 'folder of a run, or of a released model; an index remembers its own')
    .option('--query <words>', 'what to look for')
    .option('--image <file>', 'a picture to describe')
    .option('--index <file>', 'look through an index made by `clip index`')
    .option('--best <n>', 'how many, 1 to 100', integer, 8)
    .option('--out <file>', 'where the contact sheet goes', 'clip-search.png')
    .option('--data-dir <dir>', 'where data is kept', cacheFolder())
    .option('--backend <name>', 'what to compute on: auto, onnx, wasm, cpu', 'auto')
    .option('--quiet', 'write the matches and nothing else')
    .action(search);
}

/** One line of the answer. */
interface Match {
  score: number;
  /** As it is printed, and as it is written below the picture. */
  line: string;
  label: string;
  image?: () => Promise<HostImage>;
}

async function search(flags: SearchFlags): Promise<void> {
  const { query, image, best } = flags;
  if ((query === undefined) === (image === undefined)) throw usage('give either --query or --image');
  if (query !== undefined && !/[\p{L}\p{N}]/u.test(query)) throw usage('--query: expected words, got none');
  if (best < 1 || best > 100) throw usage(`--best: expected 1 to 100, got ${best}`);
  if (flags.index === undefined && flags.model === undefined) throw usage('give --model or --index');
  const matches =
    flags.index === undefined ? await inEmoji(flags) : await inIndex(flags, userPath(flags.index));

  for (const { score, line } of matches) process.stdout.write(`${score.toFixed(3)}  ${line}\n`);
  const found: { image: HostImage; label: string }[] = [];
  for (const { image, label, score } of matches) {
    // A file of an index may be gone since.
    const read = await image?.().catch(() => null);
    if (read) found.push({ image: read, label: `${score.toFixed(2)} ${label}` });
  }
  if (found.length === 0) return;
  const out = userPath(flags.out);
  await writeFileWhole(out, await contactSheet([{ title: query ?? image!, found }]));
  if (!flags.quiet) process.stdout.write(`${out}\n`);
}

/** Among emoji. */
async function inEmoji(flags: SearchFlags): Promise<Match[]> {
  const console = runConsole({ json: true, quiet: flags.quiet ?? false });
  await useBackend(flags.backend);
  const clip = await loadClip(userPath(flags.model!));
  const set = await emojiData({
    size: SIZE,
    dataDir: userPath(flags.dataDir),
    onProgress: (label, done, total) => console.progress(label, done, total),
  });
  const unseen = new Set(splitEmoji(set.emoji).test);
  const named = (emoji: number) => {
    const { code, name } = set.emoji[emoji]!;
    return `${character(code)}  ${name}${unseen.has(emoji) ? ' (not learned)' : ''}`;
  };
  if (flags.image !== undefined) {
    const names = await namesFor(clip, set, await pictureFile(flags.image), flags.best);
    return names.map(({ emoji, score }) => ({ score, line: named(emoji), label: set.emoji[emoji]!.name }));
  }
  const gallery = await Gallery.of(clip, set, {
    onProgress: (done, total) => console.progress('Embedding pictures', done, total),
  });
  const found = await gallery.search(plainText(flags.query!), { k: flags.best });
  return found.map(({ emoji, style, score, image }) => ({
    score,
    line: `${named(emoji)}, by ${style}`,
    label: set.emoji[emoji]!.name,
    image: async () => image,
  }));
}

async function namesFor(clip: CLIP, set: EmojiSet, picture: HostImage, k: number) {
  const index = new EmbeddingIndex(clip.embedDim);
  const texts = await clip.embedTexts(
    set.emoji.map(({ name }) => name),
    { batch: 64 },
  );
  await index.add(
    set.emoji.map((_, i) => `${i}`),
    texts,
  );
  const query = await clip.embedImages([picture]);
  const found = await index.search(query, { k });
  texts.dispose();
  query.dispose();
  return found.map(({ id, score }) => ({ emoji: Number(id), score }));
}

/** Among the pictures of an index. */
async function inIndex(flags: SearchFlags, file: string): Promise<Match[]> {
  const index = await loadIndex(file).catch((cause) => {
    throw new ExampleError(`no index in ${file}: ${oneLine(cause)}`, { cause });
  });
  const { folder, model, fingerprint } = readMeta(file, index);
  await useBackend(flags.backend);
  const path = flags.model === undefined ? model : userPath(flags.model);
  const clip = await loadClip(path);
  if ((await indexModel(clip)) !== fingerprint) {
    throw new ExampleError(`${file} was made with another model than ${path}; index the folder again`);
  }
  const query =
    flags.image === undefined
      ? await clip.embedTexts([flags.query!])
      : await clip.embedImages([await pictureFile(flags.image)]);
  const found = await index.search(query, { k: flags.best });
  query.dispose();
  return found.map(({ id, score }) => ({
    score,
    line: join(folder, id),
    label: id.split('/').at(-1)!,
    image: () => readPicture(join(folder, id)),
  }));
}

async function pictureFile(path: string): Promise<HostImage> {
  const file = userPath(path);
  return readPicture(file).catch((cause) => {
    throw new ExampleError(`cannot read the picture ${file}: ${oneLine(cause)}`, { cause });
  });
}

function usage(message: string): ExampleError {
  return new ExampleError(message, { exitCode: exitCodes.usage });
}

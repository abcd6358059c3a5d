import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Dataset } from '../../data';
import { checkRange } from '../../data/sample';
import { checkArgument } from '../../errors';
import { fitImage, type ImageChannels, imageArray, type ResizeFilter } from '../../images';
import { readImage } from '../images';
import type { LabelledImage } from './mnist';
import { unreadable } from './read-bytes';

export interface ImageFolderOptions {
  /** Pictures become squares of this many pixels: shorter side resized with antialiasing, middle cut out. */
  size: number;
  /** Default 3. */
  channels?: ImageChannels;
  /** What black and white become. Default [-1, 1]. */
  range?: readonly [min: number, max: number];
  /** Filter of the resize. Default `'bilinear'`. */
  filter?: ResizeFilter;
}

/** The pictures of a folder. */
export interface ImageFolder extends Dataset<LabelledImage> {
  /** Paths of the pictures, in the order of the samples. */
  readonly files: readonly string[];
  /** Names of the first-level sub-folders, sorted; a picture's label is its sub-folder's place. `['.']` without any. */
  readonly classes: readonly string[];
}

/**
 * All PNG and JPEG files below a folder: `imageFolder('faces/', { size: 32 })`, batches of
 * `{ image: [n, size, size, channels], label: [n] }`. First-level sub-folders are the classes; pictures beside them
 * are of class `'.'`. Sorted by path, so the order is the same on every machine; names that start with a dot are
 * passed over.
 *
 * The folder is listed at once, a picture is read when its sample is. Small pictures that are used for many epochs
 * are decoded once with `cacheDataset(imageFolder(…))`.
 *
 * @throws StorageError where the folder cannot be read, ArgumentError where it holds no pictures. Reading a sample
 *   whose file is damaged: FileFormatError with its name.
 */
export function imageFolder(dir: string, options: ImageFolderOptions): ImageFolder {
  const { size, channels = 3, range = [-1, 1], filter = 'bilinear' } = options;
  checkArgument(
    Number.isInteger(size) && size > 0,
    'imageFolder',
    'options.size',
    'a positive integer',
    size,
  );
  checkArgument([1, 2, 3, 4].includes(channels), 'imageFolder', 'options.channels', '1, 2, 3 or 4', channels);
  checkRange('imageFolder', 'options.range', range);
  const paths = list(dir, []);
  checkArgument(paths.length > 0, 'imageFolder', 'dir', 'a folder with PNG or JPEG files in it', dir);
  const classOf = (path: readonly string[]) => (path.length > 1 ? path[0]! : '.');
  const classes = [...new Set(paths.map(classOf))].sort(byCodeUnits);
  const places = new Map(classes.map((name, place) => [name, place]));
  const labels = Int32Array.from(paths, (path) => places.get(classOf(path))!);
  const files = paths.map((path) => join(dir, ...path));
  return {
    length: files.length,
    files,
    classes,
    async get(i) {
      const image = await readImage(files[i]!, { channels });
      return {
        image: imageArray(fitImage(image, size, { filter }), range),
        label: { data: labels.subarray(i, i + 1), shape: [] },
      };
    },
  };
}

/** Paths of the pictures below a folder, as their parts, sorted part by part. */
function list(dir: string, path: readonly string[]): string[][] {
  const folder = join(dir, ...path);
  let entries: ReturnType<typeof entriesOf>;
  try {
    entries = entriesOf(folder);
  } catch (cause) {
    throw unreadable(folder, cause);
  }
  return entries
    .filter(({ name }) => !name.startsWith('.'))
    .sort((a, b) => byCodeUnits(a.name, b.name))
    .flatMap((entry) => {
      const below = [...path, entry.name];
      if (entry.isDirectory()) return list(dir, below);
      return /\.(png|jpe?g)$/i.test(entry.name) ? [below] : [];
    });
}

function entriesOf(folder: string) {
  return readdirSync(folder, { withFileTypes: true });
}

/** Not by locale: the order of samples must not depend on the machine. */
function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

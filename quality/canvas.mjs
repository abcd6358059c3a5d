// `node quality/canvas.mjs`: pictures as a browser decodes them (pictureFromCanvas, in headless Chromium: CHROMIUM, or the
// first in PATH) beside the same files as Node reads them, which are Pillow's bytes; before and after preprocessing. Fails
// where a lossless file differs (colours by their alpha, within 1), or a preprocessed one by more than 1/255 on average.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runNode } from '../scripts/lib/process.mjs';
import { root } from '../scripts/lib/workspace.mjs';
import { bundled } from './launch.mjs';
import { bundlePage, servePages } from './src/pages.mjs';

const compare = await bundled('canvas');
const out = await bundlePage('canvas-page');
const fixtures = join(root, 'packages', 'clip', 'fixtures');
const pages = await servePages(
  [
    ['/fixtures/', fixtures],
    ['/', out],
  ],
  'canvas-page.js',
);
const told = await pages.ask(new URLSearchParams());
pages.close();
if ('error' in told) throw new Error(told.error);
const decoded = join(out, 'decoded.json');
writeFileSync(decoded, JSON.stringify(told));
const { code } = await runNode(compare, [join(fixtures, 'pictures.json'), decoded], { cwd: root });
process.exitCode = code;

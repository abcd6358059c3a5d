import { readFileSync } from 'node:fs';
import { clipPreprocessing, frameImage, siglipPreprocessing } from '@poiesis/clip';
import { decodePicture } from '@poiesis/clip/node';
import { convertChannels, type HostImage } from '@poiesis/core';

const [fixtureFile, decodedFile] = process.argv.slice(2) as [string, string];
const fixture: { files: Record<string, { file: string }> } = JSON.parse(readFileSync(fixtureFile, 'utf8'));
interface Decoded {
  files: Record<string, Omit<HostImage, 'data'> & { data: string }>;
  damaged: unknown;
}
const { files, damaged }: Decoded = JSON.parse(readFileSync(decodedFile, 'utf8'));

const settings = {
  'CLIP 224': clipPreprocessing(224),
  'CLIP 32': clipPreprocessing(32),
  'SigLIP 224': siglipPreprocessing(224),
};
console.log(
  `differences of 255: mean, and the largest after decoding; mean after ${Object.keys(settings).join(', ')}`,
);
let failed = false;
for (const [name, { file }] of Object.entries(fixture.files)) {
  const { data, ...rest } = files[name]!;
  const canvas: HostImage = { ...rest, data: new Uint8Array(Buffer.from(data, 'base64')) };
  const node = await decodePicture(new Uint8Array(Buffer.from(file, 'base64')));
  // A canvas has no grey pictures.
  const wanted = convertChannels(node, node.channels % 2 === 0 ? 4 : 3);
  const sizes = [canvas, wanted].map(({ width, height, channels }) => `${width} × ${height} × ${channels}`);
  if (sizes[0] !== sizes[1]) {
    console.log(`${name.padEnd(20)}${sizes[0]}, in Node ${sizes[1]}`);
    failed = true;
    continue;
  }
  const decoded = differences(canvas, wanted);
  const framed = Object.values(settings).map(
    (setting) => differences(frameImage(canvas, setting), frameImage(node, setting)).mean,
  );
  const lossless = /\.(png|gif)$|^(lossless|alphaLossless)\.webp$/.test(name);
  const fails = (lossless && decoded.most >= 1) || framed.some((mean) => mean > 1);
  failed ||= fails;
  const figures = [
    decoded.mean.toFixed(3),
    decoded.most.toFixed(2),
    ...framed.map((mean) => mean.toFixed(3)),
  ];
  console.log(
    `${name.padEnd(20)}${figures.map((x) => String(x).padStart(8)).join('')}${fails ? '  FAILS' : ''}`,
  );
}
console.log(`a damaged file: ${damaged}`);
failed ||= !String(damaged).startsWith('FileFormatError: damaged.png');
process.exitCode = failed ? 1 : 0;

/** Of pixels, whose colours count by their alpha: a canvas keeps no more of them. */
function differences(a: HostImage, b: HostImage): { mean: number; most: number } {
  let sum = 0;
  let most = 0;
  for (let i = 0; i < a.data.length; i++) {
    const colour = a.channels === 4 && i % 4 < 3;
    const alpha = colour ? b.data[i - (i % 4) + 3]! / 255 : 1;
    const far = Math.abs(a.data[i]! - b.data[i]!) * alpha;
    sum += far;
    most = Math.max(most, far);
  }
  return { mean: sum / a.data.length, most };
}

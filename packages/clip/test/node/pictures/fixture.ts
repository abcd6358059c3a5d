import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

interface Processed {
  file: string;
  openClip?: string;
  huggingFace?: string;
  /** Of the bytes before normalization. */
  bytes: string;
  samples: number[];
}

interface Fixture {
  files: Record<
    string,
    { file: string; width: number; height: number; channels: number; pixels: string; raw?: string }
  >;
  preprocessing: Processed[];
  overGround: Record<string, string>;
  colours: { file: string; steps: { name: string; by: number; bytes: string }[] };
  boxes: {
    width: number;
    height: number;
    scale: [number, number];
    ratio: [number, number];
    /** Times 65,536. */
    draws: number[];
    box: [x: number, y: number, width: number, height: number];
  }[];
}

/** What fixtures/pictures.py wrote. */
export const fixture: Fixture = JSON.parse(
  readFileSync(new URL('../../../fixtures/pictures.json', import.meta.url), 'utf8'),
);

export const fileOf = (name: string): Uint8Array =>
  new Uint8Array(Buffer.from(fixture.files[name]!.file, 'base64'));

/** As the script hashes bytes. */
export const sha = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex').slice(0, 16);

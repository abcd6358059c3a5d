import { checkArgument, convertChannels, FileFormatError, type HostImage } from '@poiesis/core';
import { exifOrientation, withoutOrientation } from './exif-orientation';
import { orientImage } from './orient';

export interface CanvasPictureOptions {
  /** Turns pictures upright that a camera took sideways. Default true. */
  upright?: boolean;
  /** Larger pictures are refused. Default 100 million pixels. */
  maxPixels?: number;
  /** What errors call the picture. */
  file?: string;
}

/** A Blob or File, or what `createImageBitmap` takes: an `ImageBitmap`, an image, video or canvas element. */
export type CanvasSource = Blob | { readonly width: number | object; readonly height: number | object };

/**
 * A picture in a browser: of a Blob or File, decoded by the browser, of an element, or of an `ImageBitmap`. RGB, or RGBA
 * where something is transparent. Files have the bytes that Node reads, with two exceptions: the colours of pixels that
 * are partly transparent are rounded as a canvas keeps them, the more the less is to be seen of them; and lossy files are
 * the browser's own, Chromium's the same within 1 of 255. Colour profiles are not applied.
 * @throws FileFormatError where the browser cannot decode it.
 */
export async function pictureFromCanvas(
  source: CanvasSource,
  { upright = true, maxPixels = 1e8, file }: CanvasPictureOptions = {},
): Promise<HostImage> {
  checkArgument(
    typeof createImageBitmap === 'function' && typeof OffscreenCanvas === 'function',
    'pictureFromCanvas',
    'source',
    'a browser to decode it; in Node, readPicture of @poiesis/clip/node',
    source,
  );
  const name = file ?? (source instanceof Blob && 'name' in source ? String(source.name) : 'picture');
  const fail = (expected: string, received: string, cause?: unknown): never => {
    throw new FileFormatError({ file: name, expected, received, cause });
  };
  // Whether a file is turned, and whether it can be left as it lies, differs between browsers and formats: Chromium
  // always turns JPEG and never WebP. So the note is taken out, and the picture turned below.
  const bytes = source instanceof Blob ? new Uint8Array(await source.arrayBuffer()) : undefined;
  const decoded = bytes ? new Blob([withoutOrientation(bytes)], { type: (source as Blob).type }) : source;
  const bitmap = await createImageBitmap(decoded as ImageBitmapSource, {
    imageOrientation: upright ? 'from-image' : 'none',
    premultiplyAlpha: 'none',
    colorSpaceConversion: 'none',
  }).catch((cause: Error) => fail('a picture that the browser decodes', cause.message, cause));
  try {
    const { width, height } = bitmap;
    if (width * height > maxPixels) fail(`at most ${maxPixels} pixels`, `${width} × ${height}`);
    const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
    if (!context) return fail('a canvas of its size', `${width} × ${height}`);
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, width, height);
    const image: HostImage = {
      data: new Uint8Array(data.buffer, data.byteOffset, data.length),
      width,
      height,
      channels: 4,
    };
    const opaque = data.every((v, i) => i % 4 !== 3 || v === 255);
    const pixels = opaque ? convertChannels(image, 3) : image;
    return bytes && upright ? orientImage(pixels, exifOrientation(bytes)) : pixels;
  } finally {
    bitmap.close();
  }
}

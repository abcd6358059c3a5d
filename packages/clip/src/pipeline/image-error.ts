import { PoiesisError } from '@poiesis/core';

export interface ImageErrorDetails {
  /** Place in the list that was given. */
  index: number;
  /** Path or URL, or `images[3]`. */
  image: string;
  /** Number of the batch, from 0. */
  batch: number;
  /** What went wrong: a `FileFormatError`, a `StorageError`, an `ArgumentError`. */
  cause: unknown;
}

/** A picture that cannot be read or embedded: `images[3] (cats/3.png, batch 0): …`. */
export class ImageError extends PoiesisError {
  readonly index: number;
  readonly image: string;
  readonly batch: number;

  constructor({ index, image, batch, cause }: ImageErrorDetails) {
    const place = `images[${index}]`;
    const name = image === place ? '' : `${image}, `;
    const reason = cause instanceof Error ? cause.message : String(cause);
    super({ code: 'image', message: `${place} (${name}batch ${batch}): ${reason}`, cause });
    this.index = index;
    this.image = image;
    this.batch = batch;
  }

  static override isInstance(error: unknown): error is ImageError {
    return PoiesisError.isInstance(error) && error.code === 'image';
  }
}

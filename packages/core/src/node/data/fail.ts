import { FileFormatError } from '../../errors';

/** Throws the `FileFormatError` of a place in a file. */
export type Fail = (offset: number, expected: string, received: string, cause?: unknown) => never;

export function failIn(file: string): Fail {
  return (offset, expected, received, cause) => {
    throw new FileFormatError({ file, offset, expected, received, cause });
  };
}

import { InvalidArgumentError } from 'commander';

/** An integer option. Whether it fits is for the config's schema to say. */
export function integer(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value))
    throw new InvalidArgumentError('expected an integer.');
  return value;
}

/** A number option. */
export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('expected a number.');
  return value;
}

/** Rows and columns: `8x8`. */
export function gridSize(text: string): { rows: number; columns: number } {
  const match = /^(\d{1,3})x(\d{1,3})$/i.exec(text.trim());
  const [rows, columns] = [Number(match?.[1]), Number(match?.[2])];
  if (!(rows > 0 && columns > 0 && rows * columns <= 4096)) {
    throw new InvalidArgumentError('expected ROWSxCOLUMNS, for example 8x8, of at most 4096 pictures.');
  }
  return { rows, columns };
}

import { checkArgument } from '../errors';
import type { Dataset } from './dataset';
import { type HostArray, type HostData, isHostArray, isHostData, sizeOf } from './sample';

/** Values of one field for all samples: an array whose first axis counts the samples, or a plain list. */
export type Column = HostArray | HostData | readonly (number | boolean | string)[];

/** What one sample holds of a column: a view into it, or an element of the list. */
export type Row<C> = C extends readonly (infer E extends number | boolean | string)[]
  ? E extends string
    ? string
    : E extends number
      ? number
      : boolean
  : HostArray;

/**
 * A dataset over arrays in memory: `fromArrays({ x: hostArray(pixels, [1000, 28, 28, 1], [-1, 1]), y: labels })`.
 * Samples are views, nothing is copied before the batch is made.
 * @param columns one array, whose rows are the samples, or a record of equally long ones.
 */
export function fromArrays<C extends Column>(column: C): Dataset<Row<C>>;
export function fromArrays<C extends Record<string, Column>>(
  columns: C,
): Dataset<{ [K in keyof C]: Row<C[K]> }>;
export function fromArrays(columns: Column | Record<string, Column>): Dataset<unknown> {
  if (isColumn(columns)) {
    const { length, row } = reader('column', columns);
    return { length, get: row };
  }
  const readers = Object.entries(columns).map(([name, column]) => ({
    name,
    ...reader(`columns.${name}`, column),
  }));
  const [first] = readers;
  checkArgument(first, 'fromArrays', 'columns', 'at least one column', columns);
  for (const { name, length } of readers) {
    const expected = `${first.length} samples, as in ${first.name}`;
    checkArgument(length === first.length, 'fromArrays', `columns.${name}`, expected, length);
  }
  return {
    length: first.length,
    get: (i) => Object.fromEntries(readers.map(({ name, row }) => [name, row(i)])),
  };
}

function isColumn(value: unknown): value is Column {
  return Array.isArray(value) || isHostData(value) || isHostArray(value);
}

function reader(argument: string, column: Column): { length: number; row: (i: number) => unknown } {
  if (!isHostData(column) && !isHostArray(column)) {
    const list = column;
    checkArgument(Array.isArray(list), 'fromArrays', argument, 'a host array, a typed array or a list', list);
    return { length: list.length, row: (i) => list[i] };
  }
  const { data, shape, range } = isHostData(column)
    ? { data: column, shape: [column.length] }
    : (column as HostArray);
  const [length, ...inner] = shape;
  const stride = sizeOf(inner);
  checkArgument(
    length !== undefined && length * stride === data.length,
    'fromArrays',
    argument,
    `[samples, …], ${data.length} elements`,
    shape,
  );
  return {
    length,
    row: (i) => {
      const view = { data: data.subarray(i * stride, (i + 1) * stride), shape: inner };
      return range ? { ...view, range } : view;
    },
  };
}

import * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../errors';
import type { Module } from './module';

/** One module of the summary. */
export interface SummaryRow {
  /** Path from the summarized module, whose own is `''`. */
  readonly path: string;
  /** Name of the class. */
  readonly type: string;
  /** Shapes of the tensors that its first `forward` returned; empty where it was not called. */
  readonly outputShapes: readonly (readonly number[])[];
  /** Scalars in the parameters that it holds itself, those of sub-modules left out. */
  readonly parameters: number;
  /** How many of them are not frozen. */
  readonly trainable: number;
}

export interface Summary {
  /** Parents first, in the order of the fields. */
  readonly rows: readonly SummaryRow[];
  /** Scalars in all parameters, shared ones counted once. */
  readonly parameters: number;
  readonly trainable: number;
  /** Scalars in all buffers. */
  readonly buffers: number;
  /** The table as text; also what `String(summary)` gives. */
  readonly text: string;
  toString(): string;
}

/** A shape with the batch, filled with zeros, or a tensor. */
export type SummaryInput = readonly number[] | tf.Tensor;

/**
 * A table of all layers with their output shapes and parameter counts, seen during one `forward` in evaluation mode.
 * Changes nothing: modes, running statistics and weights stay as they are.
 *
 * @param input What `forward` takes: one input, or a list of them for one with several arguments.
 * @param options.dtype Of inputs given as shapes: `'int32'` for token ids. Default `'float32'`.
 *
 * @example console.log(String(summary(model, [1, 32, 32, 3])))
 */
export function summary(
  module: Module,
  input: SummaryInput | readonly SummaryInput[],
  { dtype = 'float32' }: { dtype?: 'float32' | 'int32' } = {},
): Summary {
  const modules = [...module.modules()];
  const shapes = traceShapes(module, modules, inputsOf(input), dtype);
  const counts = new Map(modules.map(([path]) => [path, { parameters: 0, trainable: 0 }]));
  for (const [name, p] of Object.entries(module.namedParameters())) {
    const count = counts.get(holderOf(name, counts))!;
    count.parameters += p.size;
    if (p.trainable) count.trainable += p.size;
  }
  const rows = modules.map(([path, m]) => ({
    path,
    type: m.constructor.name,
    outputShapes: shapes.get(m) ?? [],
    ...counts.get(path)!,
  }));
  const parameters = rows.reduce((sum, row) => sum + row.parameters, 0);
  const trainable = rows.reduce((sum, row) => sum + row.trainable, 0);
  const buffers = Object.values(module.namedBuffers()).reduce((sum, b) => sum + b.size, 0);
  const text = table(rows, parameters, trainable, buffers);
  return { rows, parameters, trainable, buffers, text, toString: () => text };
}

/** Runs `forward` once with a listener around that of every module instance. */
function traceShapes(
  root: Module,
  modules: readonly [path: string, module: Module][],
  inputs: readonly SummaryInput[],
  dtype: 'float32' | 'int32',
): Map<Module, number[][]> {
  const shapes = new Map<Module, number[][]>();
  const restore: (() => void)[] = [];
  for (const [, module] of modules) {
    const { training } = module;
    restore.push(() => {
      module.training = training;
    });
    const forward = forwardOf(module);
    if (!forward) continue;
    const own = Object.getOwnPropertyDescriptor(module, 'forward');
    const value = (...args: unknown[]): unknown => {
      const result = forward.apply(module, args);
      if (!shapes.has(module))
        shapes.set(
          module,
          tensorsIn(result).map((t) => [...t.shape]),
        );
      return result;
    };
    Object.defineProperty(module, 'forward', {
      configurable: true,
      enumerable: false,
      writable: true,
      value,
    });
    restore.push(() => {
      if (own) Object.defineProperty(module, 'forward', own);
      else Reflect.deleteProperty(module, 'forward');
    });
  }
  try {
    root.eval();
    tf.tidy(() => {
      const forward = forwardOf(root);
      checkArgument(forward, 'summary', 'module', 'a module with forward', root);
      forward.apply(
        root,
        inputs.map((i) => (i instanceof tf.Tensor ? i : tf.zeros([...i], dtype))),
      );
    });
  } finally {
    for (const undo of restore.reverse()) undo();
  }
  return shapes;
}

function forwardOf(module: Module): ((...args: unknown[]) => unknown) | undefined {
  const { forward } = module as { forward?: unknown };
  return typeof forward === 'function' ? (forward as (...args: unknown[]) => unknown) : undefined;
}

function inputsOf(input: SummaryInput | readonly SummaryInput[]): readonly SummaryInput[] {
  if (input instanceof tf.Tensor) return [input];
  const isShape = input.every((size) => typeof size === 'number');
  return isShape ? [input as readonly number[]] : (input as readonly SummaryInput[]);
}

/** Tensors in a result, however it is built of arrays and plain objects. */
function tensorsIn(value: unknown): tf.Tensor[] {
  if (value instanceof tf.Tensor) return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(tensorsIn) : [];
}

/** Path of the module that holds a parameter: the longest that is a prefix of its name. */
function holderOf(name: string, paths: ReadonlyMap<string, unknown>): string {
  for (let end = name.lastIndexOf('.'); end > 0; end = name.lastIndexOf('.', end - 1)) {
    if (paths.has(name.slice(0, end))) return name.slice(0, end);
  }
  return '';
}

function table(rows: readonly SummaryRow[], parameters: number, trainable: number, buffers: number): string {
  const cells = rows.map((row) => [
    row.path || '(all)',
    row.type,
    row.outputShapes.map((shape) => `[${shape.join(', ')}]`).join(' ') || '–',
    row.parameters === 0 ? '' : number(row.parameters),
    row.parameters === row.trainable ? '' : `${number(row.parameters - row.trainable)} frozen`,
  ]);
  const head = ['Layer', 'Type', 'Output shape', 'Parameters', ''];
  const all = [head, ...cells];
  const width = head.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 3 ? cell.padStart(width[column]!) : cell.padEnd(width[column]!)))
      .join('  ')
      .trimEnd();
  const rule = '─'.repeat(Math.max(...all.map((row) => line(row).length)));
  const total =
    `${number(parameters)} parameters, ${number(trainable)} trainable` +
    (buffers > 0 ? `, ${number(buffers)} in buffers` : '');
  return [line(head), rule, ...cells.map(line), rule, total].join('\n');
}

function number(n: number): string {
  return n.toLocaleString('en-US');
}

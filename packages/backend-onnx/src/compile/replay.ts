import { reshape, type Tensor, type Variable } from '@tensorflow/tfjs-core';
import type { OnnxBackend } from '../backend';
import type { RuntimeTensor, TensorData } from '../runtime/session';
import { feedOf } from '../trace/program';
import { rebuild } from './arguments';
import type { Answers } from './host-events';
import type { Recording } from './recording';

type Feeds = Record<string, RuntimeTensor>;

/** Runs a recording on other arguments and answers of the host. The caller owns the tensors of the result. */
export function replay(
  onnx: OnnxBackend,
  { program, sources, shapes, targets, same, copies, structure, updates }: Recording,
  tensors: readonly Tensor[],
  answers: Answers,
): unknown {
  const into = inPlace(onnx, targets, program.outputs);
  const dataOf = (leaf: number): TensorData => {
    const source = sources[leaf]!;
    const shape = shapes[leaf]!;
    switch (source.from) {
      case 'argument':
        return onnx.feedOf(tensors[source.index]!, shape).data;
      case 'variable':
        return onnx.feedOf(source.variable, shape).data;
      case 'host':
        return answers[source.event] as TensorData;
      case 'constant':
        return source.value.data!;
    }
  };
  if (updates) {
    // What is pending may read what is about to change.
    onnx.flushSync();
    updates.load(dataOf);
    targets.forEach((target, i) => {
      if (target.to === 'update') onnx.place(target.variable, updates.home(i));
    });
  }
  const feeds: Feeds = {};
  for (const [leaf, name, dtype] of program.feeds) {
    const source = sources[leaf]!;
    const shape = shapes[leaf]!;
    switch (source.from) {
      case 'argument':
        feeds[name] = onnx.feedOf(tensors[source.index]!, shape);
        break;
      case 'variable':
        feeds[name] = onnx.feedOf(source.variable, shape);
        break;
      case 'host':
        feeds[name] = onnx.runtime.tensor(dtype, answers[source.event] as TensorData, shape);
        break;
      case 'constant':
        feeds[name] = feedOf(source.value, shape, onnx.runtime);
    }
  }
  const values = program.session.runSync!(feeds, updates ? { ...updates.into, ...into } : into);
  updates?.run(values, dataOf);

  const results: Tensor[] = [];
  targets.forEach((target, i) => {
    const value = values[program.outputs[i]!]!;
    const first = same[i]!;
    if (target.to === 'result') {
      const { shape } = target;
      results.push(first === i ? onnx.adopt(value, shape) : reshape(results[first]!, [...shape]));
    } else if (target.to === 'rows' || target.to === 'update') return;
    else if (first === i) onnx.replace(target.variable, value);
    else {
      const from = targets[first]!;
      share(target.variable, from.to === 'result' ? results[first]! : from.variable);
    }
  });
  for (const [variable, source] of copies) share(variable, source);
  return rebuild(structure, results);
}

/** The outputs that go into the data of the variables of which they are the next values. */
function inPlace(
  onnx: OnnxBackend,
  targets: Recording['targets'],
  outputs: readonly string[],
): Feeds | undefined {
  let into: Feeds | undefined;
  targets.forEach((target, i) => {
    if (target.to !== 'rows') return;
    into ??= {};
    into[outputs[i]!] = onnx.mutableFeed(target.variable, target.variable.shape);
  });
  return into;
}

/** The variable gets the very data that another output or variable has. */
function share(variable: Variable, source: Tensor): void {
  const copy = reshape(source, variable.shape);
  variable.assign(copy as never);
  copy.dispose();
}

import {
  div,
  fill,
  type GradConfig,
  getBackend,
  getGradient,
  Mean,
  mul,
  type NamedAttrMap,
  registerGradient,
  reshape,
  Sum,
  type Tensor,
  util,
} from '@tensorflow/tfjs-core';

const ours = new WeakSet<object>();

/**
 * Gradients of Sum and Mean whose ones are an operation. tfjs's are arrays of the host in the size of the input, filled,
 * copied and searched for what they hold each time that a step is traced. Other backends keep theirs.
 */
export function registerReductionGradients(): void {
  register(Sum, (dy) => dy);
  register(Mean, (dy, count) => div(dy, count));
}

function register(kernelName: string, scaled: (dy: Tensor, count: number) => Tensor): void {
  const before = getGradient(kernelName);
  if (!before || ours.has(before)) return;
  const gradient: GradConfig = {
    ...before,
    gradFunc(dy, saved, attrs) {
      if (getBackend() !== 'onnx') return before.gradFunc(dy, saved, attrs);
      return {
        x: () => scaled(spread(dy as Tensor, saved[0]!.shape, attrs), countOf(saved[0]!.shape, attrs)),
      };
    },
  };
  ours.add(gradient);
  registerGradient(gradient);
}

function axesOf(shape: number[], attrs: NamedAttrMap): number[] {
  return util.parseAxisParam(attrs.axis as number | number[], shape);
}

/** How many elements one element of the result is made of. */
function countOf(shape: number[], attrs: NamedAttrMap): number {
  return axesOf(shape, attrs).reduce((count, axis) => count * shape[axis]!, 1);
}

function spread(dy: Tensor, shape: number[], attrs: NamedAttrMap): Tensor {
  const axes = new Set(axesOf(shape, attrs));
  const kept = shape.map((size, axis) => (axes.has(axis) ? 1 : size));
  return mul(reshape(dy, kept), fill(shape, 1, 'float32'));
}

import { util } from '@tensorflow/tfjs-core';
import { add, mul, sub } from './compose';
import { castValue, constant } from './elementwise';
import { type KernelCall, kernel } from './register';

/** Normalization across channels (LRN) and by given statistics (batch normalization of inference). */
export function registerNormalization(): void {
  const attrs = (call: KernelCall) => ({
    radius: call.attr<number>('depthRadius'),
    bias: call.attr<number>('bias'),
    alpha: call.attr<number>('alpha'),
    beta: call.attr<number>('beta'),
  });
  kernel('LRN', (call) => {
    const x = call.value('x');
    return x.dtype === 'float32' ? call.record('Lrn', [x], attrs(call), x.shape, 'float32') : undefined;
  });
  kernel('LRNGrad', (call) => {
    const [x, y, dy] = [call.value('x'), call.value('y'), call.value('dy')];
    return call.record('LrnGradient', [x, y, dy], attrs(call), x.shape, 'float32');
  });
  kernel('FusedBatchNorm', (call) => {
    const x = castValue(call.value('x'), 'float32');
    const [mean, variance] = [call.value('mean'), call.value('variance')];
    util.assert(
      mean.shape.length === variance.shape.length,
      () => 'Batch normalization gradient requires mean and variance to have equal ranks.',
    );
    const epsilon = constant(call.attr<number>('varianceEpsilon') ?? 0.001, [], 'float32');
    // As one scale and one shift a channel, so that the image is read and written twice and not four times.
    const deviation = add(call, variance, epsilon);
    let scale = call.record('Rsqrt', [deviation], {}, deviation.shape, 'float32');
    if (call.has('scale')) scale = mul(call, scale, call.value('scale'));
    const moved = mul(call, mean, scale);
    const shift = call.has('offset')
      ? sub(call, call.value('offset'), moved)
      : call.record('Neg', [moved], {}, moved.shape, 'float32');
    return add(call, mul(call, x, scale), shift);
  });
}

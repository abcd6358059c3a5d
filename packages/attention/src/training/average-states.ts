import {
  ArgumentError,
  checkArgument,
  type HostTensor,
  hostTensor,
  type StateDict,
  toFloat32,
} from '@poiesis/core';

/**
 * The mean of several state dicts, for example of a model's last checkpoints (section 6.1 of the paper averages 5 to
 * 20). Floats are averaged in double precision, other types taken from the last one.
 *
 * @throws ArgumentError for no states, and for one with other keys, shapes or types than the first.
 */
export function averageStates(states: readonly StateDict[]): StateDict {
  const fn = 'averageStates';
  const [first] = states;
  checkArgument(first, fn, 'states', 'at least one state dict', states);
  for (const [i, state] of states.entries()) checkAlike(fn, `states[${i}]`, state, first);
  return Object.fromEntries(
    Object.entries(first).map(([name, tensor]) => {
      const isFloat = /^(F|BF)\d+$/.test(tensor.dtype);
      if (!isFloat) return [name, states.at(-1)![name]!];
      const sums = new Float64Array(toFloat32(tensor).length);
      for (const state of states) {
        const values = toFloat32(state[name]!);
        for (let i = 0; i < sums.length; i++) sums[i] = sums[i]! + values[i]!;
      }
      const mean = Float32Array.from(sums, (sum) => sum / states.length);
      return [name, hostTensor(mean, tensor.shape, tensor.dtype)];
    }),
  );
}

function checkAlike(fn: string, argument: string, state: StateDict, first: StateDict): void {
  const kind = (t: HostTensor | undefined) => (t ? `${t.dtype} [${t.shape.join(', ')}]` : 'nothing');
  for (const name of new Set([...Object.keys(first), ...Object.keys(state)])) {
    const [expected, received] = [kind(first[name]), kind(state[name])];
    if (expected !== received) {
      throw new ArgumentError({ fn, argument: `${argument}[${JSON.stringify(name)}]`, expected, received });
    }
  }
}

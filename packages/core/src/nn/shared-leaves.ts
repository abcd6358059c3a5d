import type { HostTensor, StateDict } from '../checkpoint/host-tensor';
import { StateDictError, type ValueMismatch } from '../errors';
import type { Buffer, Parameter } from './leaf';

/**
 * A state dict in which every shared leaf has only its first name. PyTorch's `state_dict()` repeats a tied weight
 * under each of its names; safetensors files keep one of them, not always the first.
 * @throws StateDictError where two names of one leaf bring different values.
 */
export function foldAliases(
  leaves: Iterable<[path: string, leaf: Parameter | Buffer]>,
  state: StateDict,
): StateDict {
  const first = new Map<Parameter | Buffer, string>();
  const folded: StateDict = { ...state };
  const values: ValueMismatch[] = [];
  for (const [path, leaf] of leaves) {
    const name = first.get(leaf);
    if (name === undefined) first.set(leaf, path);
    else if (Object.hasOwn(folded, path)) {
      const alias = folded[path]!;
      if (!Object.hasOwn(folded, name)) folded[name] = alias;
      else if (!equal(folded[name]!, alias)) {
        values.push({ key: path, problem: `is the same tensor as ${name} here, but has other values` });
      }
      delete folded[path];
    }
  }
  if (values.length > 0) throw new StateDictError({ fn: 'loadStateDict', values });
  return folded;
}

function equal(a: HostTensor, b: HostTensor): boolean {
  return (
    a.dtype === b.dtype &&
    a.shape.join() === b.shape.join() &&
    a.bytes.length === b.bytes.length &&
    a.bytes.every((byte, i) => byte === b.bytes[i])
  );
}

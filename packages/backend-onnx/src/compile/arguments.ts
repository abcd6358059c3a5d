import { Key, rebind, traceableKey } from '@poiesis/core';
import { Tensor } from '@tensorflow/tfjs-core';

/** A step's arguments taken apart: tensors, keys, and everything else by value. */
export interface Arguments {
  tensors: Tensor[];
  keys: Key[];
  /** Equal for argument lists that one recording serves. */
  signature: string;
}

export function takeApart(args: readonly unknown[]): Arguments {
  const tensors: Tensor[] = [];
  const keys: Key[] = [];
  const visit = (value: unknown): string => {
    if (value instanceof Tensor) {
      // The same data twice is another program than two tensors.
      const known = tensors.findIndex((t) => t.dataId === value.dataId);
      if (known >= 0) return `=${known}[${value.shape}]`;
      tensors.push(value);
      return `${value.dtype}[${value.shape}]`;
    }
    if (value instanceof Key) {
      keys.push(value);
      return 'key';
    }
    if (Array.isArray(value)) return `[${value.map(visit).join()}]`;
    if (value !== null && typeof value === 'object') {
      return `{${Object.entries(value)
        .map(([k, v]) => `${JSON.stringify(k)}:${visit(v)}`)
        .join()}}`;
    }
    return typeof value === 'function' ? `function ${value.name}` : (JSON.stringify(value) ?? String(value));
  };
  return { signature: args.map(visit).join(), tensors, keys };
}

/** The arguments with each key replaced by one that can be rebound, and those keys in order. */
export function withTraceableKeys<A extends readonly unknown[]>(args: A): { args: A; roots: Key[] } {
  const roots: Key[] = [];
  const visit = (value: unknown): unknown => {
    if (value instanceof Tensor) return value;
    if (value instanceof Key) {
      const root = traceableKey(value);
      roots.push(root);
      return root;
    }
    if (Array.isArray(value)) return value.map(visit);
    if (value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
      return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, visit(v)]));
    }
    return value;
  };
  return { args: args.map(visit) as unknown as A, roots };
}

export function rebindAll(roots: readonly Key[], keys: readonly Key[]): void {
  roots.forEach((root, i) => void rebind(root, keys[i]!));
}

/** Where tensors stand in a result, so that a replay can build the same structure around new ones. */
export type Structure =
  | { kind: 'tensor'; index: number }
  | { kind: 'list'; items: Structure[] }
  | { kind: 'record'; items: Array<[string, Structure]> }
  | { kind: 'value'; value: unknown };

export function structureOf(result: unknown, tensors: Tensor[]): Structure {
  if (result instanceof Tensor) {
    tensors.push(result);
    return { kind: 'tensor', index: tensors.length - 1 };
  }
  if (Array.isArray(result)) return { kind: 'list', items: result.map((r) => structureOf(r, tensors)) };
  if (result !== null && typeof result === 'object' && Object.getPrototypeOf(result) === Object.prototype) {
    return { kind: 'record', items: Object.entries(result).map(([k, v]) => [k, structureOf(v, tensors)]) };
  }
  return { kind: 'value', value: result };
}

export function rebuild(structure: Structure, tensors: readonly Tensor[]): unknown {
  switch (structure.kind) {
    case 'tensor':
      return tensors[structure.index];
    case 'list':
      return structure.items.map((s) => rebuild(s, tensors));
    case 'record':
      return Object.fromEntries(structure.items.map(([k, s]) => [k, rebuild(s, tensors)]));
    case 'value':
      return structure.value;
  }
}

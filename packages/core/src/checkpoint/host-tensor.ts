/** Element types of the safetensors format. */
export type DiskDType =
  | 'BOOL' | 'U8' | 'I8' | 'U16' | 'I16' | 'U32' | 'I32' | 'U64' | 'I64'
  | 'F8_E4M3' | 'F8_E5M2' | 'F16' | 'BF16' | 'F32' | 'F64';

/** A tensor in host memory, in its own element type, row-major, in the layout of the file. */
export interface HostTensor {
  readonly dtype: DiskDType;
  readonly shape: readonly number[];
  /** Little-endian bytes, `product(shape) × bytes per element` of them. */
  readonly bytes: Uint8Array;
}

/** What a stateful object saves: tensors on the host by name, in PyTorch's names and layouts. */
export type StateDict = Record<string, HostTensor>;

/** Anything that training has to save and restore by name: modules, optimizers, averages, loaders. */
export interface Stateful {
  /** Copies the state to the host. Changes nothing. */
  stateDict(): Promise<StateDict>;
  /** Restores it. All or nothing: on a `StateDictError` nothing was changed. */
  loadStateDict(state: StateDict, options?: { strict?: boolean }): void;
}

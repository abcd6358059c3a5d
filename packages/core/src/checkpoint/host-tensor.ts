/** Element types of the safetensors format. */
export type DiskDType =
  | 'BOOL'
  | 'F4'
  | 'F6_E2M3'
  | 'F6_E3M2'
  | 'U8'
  | 'I8'
  | 'F8_E5M2'
  | 'F8_E4M3'
  | 'F8_E8M0'
  | 'F8_E4M3FNUZ'
  | 'F8_E5M2FNUZ'
  | 'I16'
  | 'U16'
  | 'F16'
  | 'BF16'
  | 'I32'
  | 'U32'
  | 'F32'
  | 'C64'
  | 'F64'
  | 'I64'
  | 'U64';

/** A tensor in host memory, in its own element type, row-major, in the layout of the file. */
export interface HostTensor {
  readonly dtype: DiskDType;
  readonly shape: readonly number[];
  /** Little-endian bytes, `product(shape) × bytes per element` of them. */
  readonly bytes: Uint8Array;
}

/** What a stateful object saves: tensors on the host by name, in PyTorch's names and layouts. */
export type StateDict = Record<string, HostTensor>;

/** Keys that a load with `strict: false` passed over. Both lists are empty after a strict load. */
export interface LoadReport {
  /** Names that the object has and the state lacks; they keep their values. */
  readonly missing: readonly string[];
  /** Names that the state has and the object lacks. */
  readonly extra: readonly string[];
}

/** Anything that training has to save and restore by name: modules, optimizers, averages, loaders. */
export interface Stateful {
  /** Copies the state to the host. Changes nothing. */
  stateDict(): Promise<StateDict>;
  /**
   * Restores it. All or nothing: on a `StateDictError` nothing was changed.
   * `strict: false` passes over extra and missing keys (never over wrong shapes); modules return a `LoadReport`.
   */
  loadStateDict(state: StateDict, options?: { strict?: boolean }): void;
}

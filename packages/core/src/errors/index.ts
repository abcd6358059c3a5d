export { ArgumentError, type ArgumentErrorDetails, checkArgument } from './argument-error';
export { FileFormatError, type FileFormatErrorDetails } from './file-format-error';
export { type NonFiniteTensor, NumericError, type NumericErrorDetails } from './numeric-error';
export { type ErrorDetails, PoiesisError } from './poiesis-error';
export {
  type ShapeMismatch,
  StateDictError,
  type StateDictErrorDetails,
  type ValueMismatch,
} from './state-dict-error';
export { StorageError, type StorageErrorDetails } from './storage-error';

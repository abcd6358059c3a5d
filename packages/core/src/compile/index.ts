export {
  fromHost,
  type HostInputDType,
  type HostInputRecorder,
  type HostValues,
  setHostInputRecorder,
} from './from-host';

export {
  fromHost,
  type HostInputDType,
  type HostInputRecorder,
  type HostValues,
  setHostInputRecorder,
} from './from-host';
export { type HostChoiceRecorder, hostChoice, setHostChoiceRecorder } from './host-choice';

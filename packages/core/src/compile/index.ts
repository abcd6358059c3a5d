export {
  type CompileOptions,
  compile,
  registerCompiler,
  type StepCompiler,
  setCompileCheck,
} from './compile';
export {
  fromHost,
  type HostInputDType,
  type HostInputRecorder,
  type HostValues,
  type MakeHostValues,
  type Room,
  setHostInputRecorder,
} from './from-host';
export { type HostChoiceRecorder, hostChoice, setHostChoiceRecorder } from './host-choice';
export { madeState, type StateRecorder, setStateRecorder } from './made-state';

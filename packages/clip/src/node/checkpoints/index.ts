export {
  type ClipFolder,
  type LoadedClip,
  loadClip,
  type ReadClipOptions,
  readClip,
} from './read-clip';
export { type SaveClipOptions, saveClip } from './save-clip';

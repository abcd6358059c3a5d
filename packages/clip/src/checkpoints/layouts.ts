import type { StateDict } from '@poiesis/core';
import { type ClipConfig, resolveConfig } from '../config';
import { fromTheirs, toTheirs } from './correspondence';
import { huggingFaceTable, openClipTable } from './tables';

/** Whose names and files a checkpoint has. */
export type ClipLayout = 'huggingFace' | 'openClip';

/** Counters and sizes that some files carry beside the weights. */
const IGNORED = /(^|\.)(position_ids|attn_mask|input_resolution|context_length|vocab_size)$/;

/**
 * Our names for a state dict of Hugging Face's `CLIPModel` or `SiglipModel`. Types stay as they are.
 * @throws StateDictError that lists what is missing and what is left over.
 */
export function fromHuggingFace(state: StateDict, config: ClipConfig): StateDict {
  return fromTheirs('fromHuggingFace', state, huggingFaceTable(resolveConfig(config)), IGNORED);
}

/** The state dict that Hugging Face's `CLIPModel` or `SiglipModel` loads, from our `model.stateDict()`. */
export function toHuggingFace(state: StateDict, config: ClipConfig): StateDict {
  return toTheirs('toHuggingFace', state, huggingFaceTable(resolveConfig(config)));
}

/**
 * Our names for a state dict of open_clip: of its `CLIP`, of its `CustomTextCLIP`, or of a SigLIP.
 * @throws StateDictError that lists what is missing and what is left over.
 */
export function fromOpenClip(state: StateDict, config: ClipConfig): StateDict {
  const custom = Object.keys(state).some((name) => name.startsWith('text.'));
  const table = openClipTable(resolveConfig(config), custom ? 'text.' : '');
  return fromTheirs('fromOpenClip', state, table, IGNORED);
}

/** The state dict that open_clip loads, from our `model.stateDict()`. */
export function toOpenClip(state: StateDict, config: ClipConfig): StateDict {
  return toTheirs('toOpenClip', state, openClipTable(resolveConfig(config)));
}

/** Whose names a state dict has; null for neither's. */
export function layoutOf(names: Iterable<string>): ClipLayout | null {
  for (const name of names) {
    if (name.startsWith('vision_model.') || name.startsWith('text_model.')) return 'huggingFace';
    if (name.startsWith('visual.')) return 'openClip';
  }
  return null;
}

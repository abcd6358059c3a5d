import type { ClipConfig } from '../config';

/** What a configuration file says, and what in it deserves a look. */
export interface ToldConfig {
  readonly config: ClipConfig;
  readonly warnings: readonly string[];
}

/** CLIP's vocabulary: its last token ends texts. */
export const CLIP_VOCABULARY = 49408;

/**
 * The end token where a file does not say it: its model takes the highest id of a text for it. In CLIP's vocabulary that
 * is the last, until tokens are added.
 */
export function highestEnd(vocabSize: number, warnings: string[], file: string): number {
  if (vocabSize > CLIP_VOCABULARY) {
    warnings.push(
      `${file} finds the end of a text by its highest token, but ${vocabSize - CLIP_VOCABULARY} tokens were added ` +
        `behind CLIP's; the end token ${CLIP_VOCABULARY - 1} is looked for instead`,
    );
  }
  return Math.min(vocabSize, CLIP_VOCABULARY) - 1;
}

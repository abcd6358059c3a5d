import type { Module } from '@poiesis/core';
import type * as tf from '@tensorflow/tfjs-core';
import type { KeyValues } from '../nn/cache';
import type { DecoderState } from '../nn/decoder';
import type { Tokens } from '../transformer/tokens';

/** What can be decoded token by token: a `Transformer`, or a model of one's own. */
export interface Decodable extends Module {
  readonly config: {
    readonly pad: number;
    readonly start: number;
    readonly end: number;
    readonly maxLength: number;
    /** Tokens of a source that is given as plain numbers are checked against it. */
    readonly sourceVocab?: number;
  };
  /** What the first step starts with, for so many tokens at most, and so many beams of each source. */
  start(source: Tokens, options: { length: number; beams?: number }): DecoderState;
  /** Logits `[rows, 1, vocab]` after one more token of each row, and the cache with it. */
  step(
    tokens: tf.Tensor2D,
    state: DecoderState,
    position: tf.Scalar,
  ): { logits: tf.Tensor; cache: KeyValues[] };
}

/** A decoded target. */
export interface Hypothesis {
  /** Without start and end. */
  tokens: number[];
  /** Natural logarithm of its probability, end included. */
  logProb: number;
  /** What hypotheses are ranked by: `logProb` over the length penalty, if there is one. */
  score: number;
  /** Whether it ended by itself, or was cut at the greatest length. */
  finished: boolean;
}

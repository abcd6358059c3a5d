import { paddingMask, type SequenceBatch, shiftTarget, type Transformer } from '@poiesis/attention';
import { crossEntropy, type Key, Linear, Module, type StateDict } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { type Alignment, MOST_PHONES, type Spoken } from './alignment';
import { divided } from './divided';

/**
 * A speaker's model while it learns: its encoder also tells, for itself, what each letter sounds as.
 *
 * The decoder alone teaches an encoder slowly: of what it says wrong, it has to find out which letter was to blame. Here
 * an alignment knows. After Kim et al., "Joint CTC-Attention based End-to-End Speech Recognition using Multi-Task
 * Learning" (2017), with the one best alignment in place of the sum over all of them.
 */
export class Pupil extends Module {
  /** From what the encoder makes of a letter to logits of its first and of its second phone. */
  readonly sounds: Linear;

  constructor(
    readonly model: Transformer,
    { key }: { key: Key },
  ) {
    super();
    this.sounds = new Linear(model.config.dim, MOST_PHONES * model.config.targetVocab, { key });
  }

  /**
   * `loss`, of which the step learns, is the sum of two, each the mean over its tokens: `phones` after those before them,
   * and the sounds of `letters`. The caller owns them.
   *
   * @param batch with `soundLabels` as labels.
   */
  loss(
    { source, target, labels }: SequenceBatch,
    { labelSmoothing, key }: { labelSmoothing: number; key: Key },
  ): { loss: tf.Scalar; phones: tf.Scalar; letters: tf.Scalar } {
    const { pad, targetVocab: vocab } = this.model.config;
    const [forEncoder, forDecoder] = key.split(2);
    return tf.tidy(() => {
      const tokens = source as tf.Tensor2D;
      const { input, expected } = shiftTarget(target);
      const memory = this.model.encode(tokens, { key: forEncoder }); // (B, S, dim)
      const memoryKeyMask = paddingMask(tokens, pad);
      const logits = this.model.decode(input, memory, { memoryKeyMask, key: forDecoder }); // (B, T, vocab)
      const sounds = tf.reshape(this.sounds.forward(memory), [...tokens.shape, MOST_PHONES, vocab]); // (B, S, 2, vocab)
      const options = { ignoreIndex: pad, labelSmoothing };
      const phones = crossEntropy(logits, expected, options) as tf.Scalar;
      const letters = crossEntropy(sounds, phonesOf(labels!, vocab), options) as tf.Scalar;
      return { loss: tf.add(phones, letters) as tf.Scalar, phones, letters };
    });
  }
}

const MODEL = 'model.';

/** Of a pupil's state dict, the model's. */
export function modelOf(state: StateDict): StateDict {
  const own = Object.entries(state).filter(([name]) => name.startsWith(MODEL));
  return Object.fromEntries(own.map(([name, tensor]) => [name.slice(MODEL.length), tensor]));
}

/**
 * What each letter sounds as, in one number: `first + vocab · second`, where `end` is no phone. Padding where the
 * alignment knows nothing.
 */
export function soundLabels(
  spoken: Spoken,
  alignment: Alignment,
  { targetVocab, pad, end }: { targetVocab: number; pad: number; end: number },
): number[] {
  const parts = alignment.align(spoken);
  return spoken.letters.map((_, i) => {
    if (!parts) return pad;
    const [first = end, second = end] = parts[i]!;
    return first + targetVocab * second;
  });
}

/** The first and the second phone of labels, side by side: int32 `[batch, seq, 2]`. */
function phonesOf(labels: tf.Tensor, vocab: number): tf.Tensor {
  const [second, first] = divided(labels, vocab);
  return tf.stack([first, second], labels.rank);
}

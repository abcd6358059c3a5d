import { type HostVectors, hostVectors, normalized, type Vectors } from '../embedding-index';

/** A label and how well it fits. */
export interface LabelScore {
  label: string;
  /** CLIP: probability among the labels. SigLIP: probability that the label fits, each on its own. */
  score: number;
}

/** What turns cosines into scores. */
export interface Temperature {
  readonly scale: number;
  /** SigLIP's; null in CLIP. */
  readonly bias: number | null;
}

/**
 * Embeddings of labels, ready to score pictures' embeddings: made by `CLIP.zeroShotClassifier`. Holds host memory only.
 */
export class ZeroShotClassifier {
  constructor(
    readonly labels: readonly string[],
    /** `[labels.length, dim]`, each of length 1. */
    readonly embeddings: Float32Array,
    readonly temperature: Temperature,
    /** Whether scores are SigLIP's, each label on its own. */
    readonly independent: boolean,
  ) {}

  /**
   * @param images embeddings of pictures, `[n, dim]`. Tensors stay the caller's.
   * @returns for each picture all labels, the best first.
   */
  async score(images: Vectors): Promise<LabelScore[][]> {
    const rows = await this.#logits(images);
    return rows.map((logits) => {
      const scores = this.independent ? logits.map(logistic) : softmax(logits);
      const list = this.labels.map((label, i) => ({ label, score: scores[i]! }));
      return list.sort((a, b) => b.score - a.score);
    });
  }

  /** The place of each picture's best label; of equal ones the first. */
  async predict(images: Vectors): Promise<Int32Array> {
    const rows = await this.#logits(images);
    return Int32Array.from(rows, (logits) => logits.indexOf(Math.max(...logits)));
  }

  async #logits(images: Vectors): Promise<number[][]> {
    const fn = 'ZeroShotClassifier.score';
    const dim = this.embeddings.length / this.labels.length;
    const read = await hostVectors(fn, 'images', images, dim);
    const { scale, bias } = this.temperature;
    const rows = normalized(fn, 'images', read);
    return Array.from({ length: read.count }, (_, i) =>
      this.labels.map((_, j) => {
        let cosine = 0;
        for (let k = 0; k < dim; k++) cosine += rows[i * dim + k]! * this.embeddings[j * dim + k]!;
        return scale * cosine + (bias ?? 0);
      }),
    );
  }
}

/** Means of runs of `each` vectors of length 1, at length 1 again. */
export function ensembles(fn: string, { data, count, dim }: HostVectors, each: number): Float32Array {
  const means = new Float32Array((count / each) * dim);
  for (let i = 0; i < count; i++) {
    const at = Math.floor(i / each) * dim;
    for (let j = 0; j < dim; j++) means[at + j] = means[at + j]! + data[i * dim + j]! / each;
  }
  return normalized(fn, 'labels', { data: means, count: count / each, dim });
}

function softmax(logits: readonly number[]): number[] {
  const most = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - most));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

function logistic(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

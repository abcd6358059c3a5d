/** A model on the active backend, ready to be timed. */
export interface Prepared {
  /**
   * Does one whole step, data generation included, and returns once its result is on the host: the loss, the token, a
   * logit. It must be finite. `index` counts the steps from 0.
   */
  step(index: number): Promise<number>;
  /** Size of the model, for the bench to compare the sides: see `Started`. */
  parameters?: number | null;
  dispose(): void;
}

/** A whole step of some training or inference, through the public API, as a user would write it. */
export interface Workload {
  /** `gpt-train`; its PyTorch program is then `pytorch/gpt_train.py`. */
  readonly name: string;
  /** One line: what a step does, with its sizes. */
  readonly about: string;
  /** Builds the model. `useBackend` has been called before. */
  prepare(): Prepared | Promise<Prepared>;
}

// What the bench and its contenders say to each other: one line of JSON each, on the child's standard streams. A
// contender builds its workload, does one step, and answers with a `Started`. For every `Request` it then does so many
// steps and answers with a `Lap`. The end of its input ends it. Python's side of this: ../pytorch/_round.py.

export interface Request {
  steps: number;
}

export interface Lap {
  /** Wall time of all the steps together. */
  ms: number;
  /** What the last step returned. */
  value: number;
  /** Peak resident memory of the process so far; null where the system does not tell. */
  rss_mb: number | null;
}

/** The lap of the first step, which compiles, and what computed it. */
export interface Started extends Lap {
  /** Building the model, and what else comes before the first step. */
  setup_ms: number;
  threads: number;
  /** `PyTorch 2.13.0`. */
  engine: string;
  /** Numbers that the model learns or has learned, where the workload counts them: every side must have as many. */
  parameters?: number | null;
}

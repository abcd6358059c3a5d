/** A whole step of some training or inference, as a user would write it. */
export interface Workload {
  name: string;
  /** Builds the model. `step` runs once and returns when its result is on the host. */
  prepare(): { step(index: number): Promise<void>; dispose(): void };
}

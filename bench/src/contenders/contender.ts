/** How to start a contender's process. */
export interface Launch {
  command: string;
  args: readonly string[];
  /** Added to this process's environment. */
  env?: Readonly<Record<string, string>>;
}

/** Why a contender does not take part, and what would let it. */
export interface Absent {
  absent: string;
}

/** Something that runs workloads in a process of its own. */
export interface Contender {
  readonly name: string;
  /** Finds out whether it can take part in a workload here. */
  find(workload: string, threads: number): Promise<Launch | Absent>;
}

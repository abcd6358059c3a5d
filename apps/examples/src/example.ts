import type { Command } from 'commander';

/** One entry of the example app: what `list` tells, and the command with its actions. */
export interface Example {
  name: string;
  /** One line, no full stop. */
  summary: string;
  command(): Command;
}

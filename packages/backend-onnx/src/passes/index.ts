import { foldConstants } from './fold-constants';
import { type Graph, type Pass, removeDeadNodes } from './ir';
import { lazyBroadcast } from './lazy-broadcast';
import { reluMasks } from './relu-masks';

const passes: readonly Pass[] = [foldConstants, reluMasks, lazyBroadcast];

/** Rewrites a graph in place to a cheaper one that computes the same. */
export function optimize(graph: Graph): void {
  for (const pass of passes) {
    pass(graph);
    removeDeadNodes(graph);
  }
}

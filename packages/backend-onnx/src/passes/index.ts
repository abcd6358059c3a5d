import { commonSubexpressions } from './common-subexpressions';
import { foldConstants } from './fold-constants';
import { fuseProducts } from './fuse-products';
import { gatherRows } from './gather-rows';
import { gelu } from './gelu';
import { type Graph, type Pass, removeDeadNodes } from './ir';
import { layerNorm } from './layer-norm';
import { lazyBroadcast } from './lazy-broadcast';
import { mergeUpdates } from './merge-updates';
import { reluMasks } from './relu-masks';
import { simplifyViews } from './simplify-views';
import { type PassReport, tracked } from './track';

/** In the order in which they run, by the names that `explain()` shows. */
const passes: Readonly<Record<string, Pass>> = {
  foldConstants,
  reluMasks,
  lazyBroadcast,
  simplifyViews,
  commonSubexpressions,
  layerNorm,
  gelu,
  fuseProducts,
  gatherRows,
  mergeUpdates,
};

/** Rewrites a graph in place to a cheaper one that computes the same. Returns what each pass did. */
export function optimize(graph: Graph): PassReport[] {
  return Object.entries(passes).map(([name, pass]) =>
    tracked(name, graph, () => {
      pass(graph);
      removeDeadNodes(graph);
    }),
  );
}

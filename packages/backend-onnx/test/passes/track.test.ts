import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { OnnxBackend } from '../../src/backend';
import { optimize } from '../../src/passes';
import { type Graph, graphOf } from '../../src/passes/ir';
import { tracked } from '../../src/passes/track';
import { traceOf } from '../../src/trace/program';

/** The graph of what `body` records. */
function recorded(body: () => tf.Tensor): Graph {
  const onnx = tf.backend() as OnnxBackend;
  let graph!: Graph;
  tf.tidy(() => {
    const { ops, outputs, leaves } = traceOf([onnx.traced(body())]);
    const constants = leaves.map((leaf) => leaf.splat);
    graph = graphOf(ops, outputs, leaves, constants);
  });
  return graph;
}

describe('what a pass did', () => {
  it('is counted as nodes that went, came and changed', () => {
    const graph = recorded(() => tf.exp(tf.relu(tf.tensor([1, 2, 3]))));
    expect(tracked('none', graph, () => {})).toEqual({ pass: 'none', removed: 0, added: 0, rewritten: 0 });
    const [relu, exp] = graph.nodes;
    const report = tracked('some', graph, () => {
      exp!.type = 'Neg';
      graph.nodes = [exp!];
      graph.nodes.unshift({ ...relu!, outputs: [] });
    });
    expect(report).toEqual({ pass: 'some', removed: 1, added: 1, rewritten: 1 });
  });

  it('is told by every pass, in order, under its name', () => {
    const reports = optimize(recorded(() => tf.add(tf.mul(tf.tensor([1, 2, 3]), tf.ones([3])), 0)));
    expect(reports.map(({ pass }) => pass)).toContain('foldConstants');
    expect(reports[0]).toMatchObject({ pass: 'foldConstants', removed: 2 });
  });
});

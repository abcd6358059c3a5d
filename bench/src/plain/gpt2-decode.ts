import { hostUniform, randomKey } from '@poiesis/core';
import { Tensor } from 'onnxruntime-node';
import type { GraphBuilder } from '../../../packages/backend-onnx/src/onnx/graph-builder';
import type { Prepared } from '../workload';
import { plainSession } from './session';

const [layers, heads, dim, vocabSize, blockSize] = [12, 12, 768, 50257, 1024];
/** Cached tokens of the first step, and steps before it starts from these again: as in ../workloads/gpt2-decode.ts. */
const [prompt, generated] = [128, 64];

/**
 * One token through GPT-2 with 124 million parameters, as exporters write it: keys and values of the tokens before come
 * in as `past` and go out as `present`, with the new token's behind them.
 */
export async function plainGPT2Decode(threads: number): Promise<Prepared> {
  const [weights, history] = randomKey(1).split(2);
  const session = await plainSession((graph) => {
    let count = 0;
    const fresh = (...shape: number[]) => {
      const n = shape.reduce((a, b) => a * b);
      const values = hostUniform(weights!.fold(count++), n, { min: -0.035, max: 0.035 }); // σ = 0.02
      return graph.constant('float32', shape, values);
    };
    buildGraph(graph, fresh);
  }, threads);
  const states = session.outputNames.filter((name) => name.startsWith('present'));
  const pastOf = (present: string) => present.replace('present', 'past');
  const promptCache: Record<string, Tensor> = {};
  for (const [i, name] of states.entries()) {
    const values = hostUniform(history!.fold(i), prompt * dim, { min: -1, max: 1 });
    promptCache[pastOf(name)] = new Tensor('float32', values, [1, heads, prompt, dim / heads]);
  }
  let [token, past] = [0, promptCache];
  return {
    async step(index) {
      const at = index % generated;
      if (at === 0) [token, past] = [0, promptCache];
      const results = await session.run({ ...past, id: int64(token), position: int64(prompt + at) });
      past = Object.fromEntries(states.map((name) => [pastOf(name), results[name] as Tensor]));
      token = indexOfMax(results.logits!.data as Float32Array);
      return token;
    },
    dispose: () => void session.release(),
  };
}

function int64(value: number): Tensor {
  return new Tensor('int64', BigInt64Array.of(BigInt(value)), [1, 1]);
}

/** ONNX Runtime's mark of a length that only the call tells. */
const anyLength = -1;

function buildGraph(graph: GraphBuilder, fresh: (...shape: number[]) => string): void {
  const named = (op: string, inputs: string[], output: string, attributes = {}) =>
    graph.nodes.push({ op, domain: '', name: output, inputs, outputs: [output], attributes });
  const zeros = (n: number) => graph.constant('float32', [n], new Float32Array(n));
  const ones = (n: number) => graph.constant('float32', [n], new Float32Array(n).fill(1));
  const norm = (x: string) => graph.node('LayerNormalization', [x, ones(dim), zeros(dim)]);
  const affine = (x: string, from: number, to: number) =>
    graph.node('Add', [graph.node('MatMul', [x, fresh(from, to)]), zeros(to)]);

  /** `(1, 1, C)` → `(1, heads, 1, C / heads)`, which for one token is a reshape. */
  const byHead = (x: string) => graph.node('Reshape', [x, graph.ints([1, heads, 1, dim / heads])]);
  const withPast = (state: string, x: string) => {
    const [past, present] = [`past.${state}`, `present.${state}`];
    graph.inputs.push({ name: past, dtype: 'float32', dims: [1, heads, anyLength, dim / heads] });
    named('Concat', [past, byHead(x)], present, { axis: 2 });
    graph.outputs.push({ name: present, dtype: 'float32', dims: [1, heads, anyLength, dim / heads] });
    return present;
  };

  const attention = (x: string, layer: number) => {
    const [q, k, v] = graph.nodeN('Split', [affine(x, dim, 3 * dim)], {
      attributes: { axis: -1, num_outputs: 3 },
      outputs: 3,
    }) as [string, string, string];
    const keys = graph.node('Transpose', [withPast(`${layer}.key`, k)], { perm: [0, 1, 3, 2] });
    const values = withPast(`${layer}.value`, v);
    const scores = graph.node('Div', [
      graph.node('MatMul', [byHead(q), keys]), // (1, heads, 1, past + 1)
      graph.scalar(Math.sqrt(dim / heads)),
    ]);
    const y = graph.node('MatMul', [graph.node('Softmax', [scores], { axis: -1 }), values]);
    return affine(graph.node('Reshape', [y, graph.ints([1, 1, dim])]), dim, dim);
  };
  const mlp = (x: string) =>
    affine(graph.node('Gelu', [affine(x, dim, 4 * dim)], { approximate: 'tanh' }), 4 * dim, dim);

  for (const name of ['id', 'position']) graph.inputs.push({ name, dtype: 'int64', dims: [1, 1] });
  const wte = fresh(vocabSize, dim);
  const position = graph.node('Gather', [fresh(blockSize, dim), 'position']);
  let x = graph.node('Add', [graph.node('Gather', [wte, 'id']), position]);
  for (let layer = 0; layer < layers; layer++) {
    x = graph.node('Add', [x, attention(norm(x), layer)]);
    x = graph.node('Add', [x, mlp(norm(x))]);
  }
  const head = graph.node('Transpose', [wte], { perm: [1, 0] });
  named('MatMul', [norm(x), head], 'logits');
  graph.outputs.push({ name: 'logits', dtype: 'float32', dims: [1, 1, vocabSize] });
}

function indexOfMax(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

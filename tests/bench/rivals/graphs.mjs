// The transformer of the comparison in the graph language.
import { build, constant, gradients, input, repeat, weight } from "../../../kernel/lib/graph/index.js";
import { Tensor } from "../../../kernel/lib/tensor/index.js";
import { adam, sizeOf, weightsOf } from "./spec.mjs";

/** The logits of `ids` [batch, length], and every attention pattern. `own` gives a weight by its name. */
function forward({ layers, width, heads }, ids, own) {
  const [batch, length] = ids.shape;
  const headDim = width / heads;
  const lower = Float32Array.from({ length: length * length }, (_, i) => (i % length > i / length ? -Infinity : 0));
  const mask = constant(new Tensor("float32", [length, length], lower));
  const linear = (x, name) => build.add(build.matMul(x, own(`${name}.w`)), own(`${name}.b`));
  const norm = (x, name) => build.layerNormalization(x, own(`${name}.g`), own(`${name}.b`), 1e-5);
  const split = (x) => build.transpose(build.reshape(x, [batch, length, heads, headDim]), [0, 2, 1, 3]);
  const patterns = [];
  let x = build.add(build.gather(own("embed"), ids, 0), build.slice(own("position"), 0, 0, length));
  for (let i = 0; i < layers; i++) {
    const qkv = linear(norm(x, `${i}.ln1`), `${i}.qkv`);
    const [q, k, v] = [0, 1, 2].map((part) => split(build.slice(qkv, 2, part * width, (part + 1) * width)));
    const scores = build.mul(build.matMul(q, build.transpose(k, [0, 1, 3, 2])), 1 / Math.sqrt(headDim));
    const pattern = build.softmax(build.add(scores, mask), 3);
    patterns.push(pattern);
    const z = build.reshape(build.transpose(build.matMul(pattern, v), [0, 2, 1, 3]), [batch, length, width]);
    x = build.add(x, linear(z, `${i}.out`));
    x = build.add(x, linear(build.gelu(linear(norm(x, `${i}.ln2`), `${i}.up`), "tanh"), `${i}.down`));
  }
  const logits = build.matMul(norm(x, "ln"), build.transpose(own("embed"), [1, 0]));
  return { logits, patterns };
}

/** The forward pass on weights that lie in a file, one after the other. */
export function forwardGraph(spec, length, path) {
  const places = new Map();
  let offset = 0;
  for (const [name, shape] of weightsOf(spec)) {
    const sizeBytes = sizeOf(shape) * 4;
    places.set(name, weight("float32", shape, { name, path, offset, sizeBytes, storage: "float32", version: "1" }));
    offset += sizeBytes;
  }
  return forward(spec, input("ids", "int32", [1, length]), (name) => places.get(name));
}

/** Loss and next state of one step; weights and both moments are one block of numbers each. */
function step(spec, state, ids, targets) {
  const names = new Map();
  let at = 0;
  const leaves = weightsOf(spec).map(([name, shape]) => {
    const part = build.reshape(build.slice(state.weights, 0, at, (at += sizeOf(shape))), shape);
    names.set(name, part);
    return part;
  });
  const { logits } = forward(spec, ids, (name) => names.get(name));
  const logProbs = build.logSoftmax(logits, 2);
  const chosen = build.gatherElements(logProbs, build.unsqueeze(targets, [2]), 2);
  const loss = build.neg(build.reduceMean(chosen));
  const slopes = gradients(loss, leaves).map((d) => build.reshape(d, [sizeOf(d.shape)]));
  const d = build.concat(slopes, 0);
  const mean = build.add(build.mul(state.mean, adam.beta1), build.mul(d, 1 - adam.beta1));
  const square = build.add(build.mul(state.square, adam.beta2), build.mul(build.mul(d, d), 1 - adam.beta2));
  const turn = build.add(state.turn, 1);
  const [left1, left2] = [adam.beta1, adam.beta2].map((beta) => build.sub(1, build.pow(beta, turn)));
  const size = build.mul(build.div(adam.rate, left1), build.sqrt(left2));
  const scaled = build.div(mean, build.add(build.sqrt(square), build.mul(build.sqrt(left2), adam.epsilon)));
  return { next: { weights: build.sub(state.weights, build.mul(scaled, size)), mean, square, turn }, loss };
}

/** The inputs of a step: state and data. */
function inputsOf(spec) {
  const count = weightsOf(spec).reduce((sum, [, shape]) => sum + sizeOf(shape), 0);
  const block = (name) => input(name, "float32", [count]);
  const state = {
    weights: block("weights"),
    mean: block("mean"),
    square: block("square"),
    turn: input("turn", "float32", []),
  };
  const [ids, targets] = ["ids", "targets"].map((name) => input(name, "int32", [spec.batch, spec.length]));
  return { state, ids, targets };
}

const outputsOf = (next, loss) => ({
  ...Object.fromEntries(Object.entries(next).map(([name, value]) => [`next ${name}`, value])),
  loss,
});

/** One step: the state in and out. */
export function trainingGraph(spec) {
  const { state, ids, targets } = inputsOf(spec);
  const { next, loss } = step(spec, state, ids, targets);
  return outputsOf(next, loss);
}

/** Several steps in one run. */
export function repeatedGraph(spec, steps) {
  const { state, ids, targets } = inputsOf(spec);
  const { last, collected } = repeat(steps, state, (held) => {
    const { next, loss } = step(spec, held, ids, targets);
    return { next, collect: { loss } };
  });
  return outputsOf(last, collected.loss);
}

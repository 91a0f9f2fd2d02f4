// Attention Lab against what else could be used: the forward pass of a model of GPT-2's size, and training steps.
//   node tests/bench/rivals.bench.mjs [forward|train] [--python <interpreter with torch>] [--packages <folder>] [--rounds n]
// The other sides are not dependencies of the project:
//   <interpreter> -m pip install torch transformers
//   npm install --prefix <folder> @jax-js/jax @tensorflow/tfjs @tensorflow/tfjs-backend-wasm
// Sides take turns within one run; figures are medians. Those that are not there are left out, and named.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { OrtEngine } from "../../kernel/lib/host/session.js";
import { Tensor } from "../../kernel/lib/tensor/index.js";
import { forwardGraph, repeatedGraph, trainingGraph } from "./rivals/graphs.mjs";
import { adam, firstWeights, gpt2, tokensOf, trained, weightsOf } from "./rivals/spec.mjs";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { python: { type: "string" }, packages: { type: "string" }, rounds: { type: "string", default: "7" } },
});
const wanted = positionals.length > 0 ? positionals : ["forward", "train"];
const rounds = Number(values.rounds);
const here = (name) => fileURLToPath(new URL(`./rivals/${name}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "attention-lab-bench-"));
const engine = new OrtEngine("cpu");
const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

/** Another process that answers one line per request. */
function side(command, ...args) {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    ask: async (request) => {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`${command} ended`);
      return JSON.parse(value);
    },
    end: () => child.stdin.end(),
  };
}

/** Our own work, timed as the others time theirs. */
async function own(work) {
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  const check = await work();
  const { user, system } = process.cpuUsage(cpu);
  return { check, wallMs: performance.now() - start, cpuMs: (user + system) / 1000 };
}

/** Runs every variant in turn, `rounds` times after a first one, and prints medians and what ours is of each. */
async function compare(title, variants, tolerance) {
  const times = variants.map(() => ({ cpu: [], wall: [] }));
  for (let round = 0; round <= rounds; round++) {
    let expected;
    for (const [i, { name, steps = 1, work }] of variants.entries()) {
      const { check, cpuMs, wallMs } = await work();
      // The first round compiles and warms up.
      if (round > 0) {
        times[i].cpu.push(cpuMs / steps);
        times[i].wall.push(wallMs / steps);
      }
      // In the first round all sides start alike; later those that take fewer steps lag behind.
      expected ??= check;
      const worst = Math.max(...check.map((x, at) => Math.abs(x - expected[at])));
      if (round === 0 && !(worst <= tolerance)) throw new Error(`${title}: ${name} is off by ${worst}`);
      // Threads may still be spinning.
      await pause(60);
    }
  }
  console.log(title);
  const [ours] = times;
  for (const [i, { name }] of variants.entries()) {
    const part = (kind) => median(times[i][kind].map((x, at) => ours[kind][at] / x)).toFixed(2);
    const figure = (kind) => `${median(times[i][kind]).toFixed(2).padStart(9)} ms ${kind}`;
    console.log(
      `  ${name.padEnd(36)}${figure("cpu")}${figure("wall")}   ours ÷ it: ${part("cpu")} cpu, ${part("wall")} wall`,
    );
  }
}

const path = join(folder, "weights.bin");
const described = (spec) => ({ ...spec, weights: weightsOf(spec) });

async function forwardPasses() {
  const flat = firstWeights(gpt2);
  writeFileSync(path, new Uint8Array(flat.buffer));
  const torch = values.python && side(values.python, here("torchSide.py"));
  await torch?.ask({ do: "open", spec: described(gpt2), path, count: flat.length, train: false });
  for (const length of [128, 512, 1024]) {
    const { ids } = tokensOf({ ...gpt2, batch: 1, length });
    const { logits, patterns } = forwardGraph(gpt2, length, path);
    const all = Object.fromEntries(patterns.map((pattern, i) => [`pattern ${i}`, pattern]));
    const [bare, full] = [await engine.compile({ logits }), await engine.compile({ logits, ...all })];
    const feeds = { ids: new Tensor("int32", [1, length], ids) };
    const run = (compiled) => () =>
      own(async () => [...(await compiled.run(feeds)).logits.slice(0, -1).data.slice(0, 8)]);
    const ask = (mode) => () => torch.ask({ do: "forward", ids: [...ids], mode });
    await compare(
      `Forward pass of GPT-2's size, T = ${length}`,
      [
        { name: "Attention Lab", work: run(bare) },
        { name: "Attention Lab again (A/A)", work: run(bare) },
        { name: "Attention Lab, 12 patterns returned", work: run(full) },
        ...(torch
          ? ["eager", "sdpa", "transformers"].map((mode) => ({ name: `PyTorch, ${mode}`, work: ask(mode) }))
          : []),
      ],
      1e-3,
    );
    await Promise.all([bare.dispose(), full.dispose()]);
  }
  torch?.end();
}

async function trainingSteps() {
  const steps = 10;
  for (const [name, spec] of Object.entries(trained)) {
    const flat = firstWeights(spec);
    writeFileSync(path, new Uint8Array(flat.buffer));
    const data = tokensOf(spec);
    const shape = [spec.batch, spec.length];
    const feeds = { ids: new Tensor("int32", shape, data.ids), targets: new Tensor("int32", shape, data.targets) };
    const first = () => {
      const zeros = () => new Tensor("float32", [flat.length], new Float32Array(flat.length));
      return { weights: new Tensor("float32", [flat.length], flat), mean: zeros(), square: zeros(), turn: new Tensor("float32", [], new Float32Array(1)) }; // prettier-ignore
    };
    const parts = ["weights", "mean", "square", "turn"];
    const nextState = (out) => Object.fromEntries(parts.map((key) => [key, out[`next ${key}`]]));
    const single = await engine.compile(trainingGraph(spec));
    const several = await engine.compile(repeatedGraph(spec, steps));
    let [state, far] = [first(), first()];
    const carried = await single.carry(Object.fromEntries(parts.map((key) => [key, `next ${key}`])), first());
    const byCarrying = () =>
      own(async () => {
        const losses = [];
        for (let i = 0; i < steps; i++) losses.push((await carried.run(feeds)).loss.item());
        return losses;
      });
    const bySteps = () =>
      own(async () => {
        const losses = [];
        for (let i = 0; i < steps; i++) {
          const out = await single.run({ ...feeds, ...state });
          state = nextState(out);
          losses.push(out.loss.item());
        }
        return losses;
      });
    const byRuns = () =>
      own(async () => {
        const out = await several.run({ ...feeds, ...far });
        far = nextState(out);
        return [...out.loss.data];
      });
    const opening = {
      ...{ do: "open", spec: described(spec), path, count: flat.length, train: true, ...adam },
      ...{ ids: [...data.ids], targets: [...data.targets] },
    };
    const others = [];
    const add = async (title, other, mode, own = steps) => {
      await other.ask(opening);
      const request = { ...opening, do: "train", steps: own, mode };
      others.push({ other, name: title, steps: own, work: () => other.ask(request) });
    };
    if (values.python) {
      for (const mode of ["eager", "sdpa"]) {
        await add(`PyTorch, ${mode} attention`, side(values.python, here("torchSide.py")), mode);
      }
    }
    if (values.packages) {
      const script = (kind) => side(process.execPath, here("scriptSide.mjs"), values.packages, kind);
      await add("jax-js, wasm", script("jax"), "");
      // A step takes it seconds.
      await add("tfjs, wasm", script("tfjs"), "", 1);
    }
    await compare(
      `Training step ${name}: ${spec.layers} layers, width ${spec.width}, batch ${spec.batch}, T = ${spec.length}`,
      [
        { name: "Attention Lab, state carried", steps, work: byCarrying },
        { name: "Attention Lab, state in and out", steps, work: bySteps },
        { name: `Attention Lab, ${steps} steps in a run`, steps, work: byRuns },
        ...others,
      ],
      2e-2,
    );
    for (const { other } of others) other.end();
    await carried.dispose();
    await Promise.all([single.dispose(), several.dispose()]);
  }
}

try {
  if (!values.python) console.log("PyTorch is left out: pass --python <interpreter with torch>");
  if (!values.packages) console.log("jax-js and tfjs are left out: pass --packages <folder>");
  if (wanted.includes("forward")) await forwardPasses();
  if (wanted.includes("train")) await trainingSteps();
} finally {
  rmSync(folder, { recursive: true });
}

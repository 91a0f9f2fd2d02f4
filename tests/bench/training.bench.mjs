// `train` against PyTorch: the same transformer, weights, data and Adam, on the same threads.
//   node tests/bench/training.bench.mjs --python <interpreter with torch> [--steps 100] [--rounds 3]
// Both take turns; a turn is a whole call, so that ours holds writing the graph, compiling it and making the batches.
// Losses must agree before anything is printed.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { adam, tasks, train, transformer } from "../../kernel/lib/index.js";
import { weightsOf as tensorsOf } from "../../kernel/lib/training/index.js";
import { adam as rule, sizeOf, tokensOf, trained, weightsOf } from "./rivals/spec.mjs";

const options = {
  python: { type: "string" },
  steps: { type: "string", default: "100" },
  rounds: { type: "string", default: "3" },
};
const { values } = parseArgs({ options });
const [steps, rounds] = [Number(values.steps), Number(values.rounds)];
const folder = mkdtempSync(join(tmpdir(), "attention-lab-bench-"));
const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

/** PyTorch in a process of its own, asked line by line. */
function torchSide() {
  const script = fileURLToPath(new URL("./rivals/torchSide.py", import.meta.url));
  const child = spawn(values.python, [script], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    ask: async (request) => {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      return JSON.parse((await lines.next()).value);
    },
    end: () => child.stdin.end(),
  };
}

try {
  if (!values.python) throw new Error("pass --python <interpreter with torch>");
  for (const [name, spec] of Object.entries(trained)) {
    const data = tokensOf(spec);
    const row = (flat, at) => [
      ...flat.subarray((at % spec.batch) * spec.length, ((at % spec.batch) + 1) * spec.length),
    ];
    let at = 0;
    const task = new tasks.TokenTask({
      ...{
        name: "bench",
        vocabulary: Array.from({ length: spec.vocab }, (_, i) => `t${i}`),
        length: spec.length,
        seed: 0,
      },
      row: () => ({ ids: row(data.ids, at), targets: row(data.targets, at++) }),
    });
    const start = await transformer({
      ...{ layers: spec.layers, heads: spec.heads, width: spec.width, vocabulary: spec.vocab, length: spec.length },
      ...{ tied: true, activation: "gelu_new" },
    });
    const flat = Float32Array.from(Object.values(await tensorsOf(start)).flatMap(({ data: numbers }) => [...numbers]));
    if (flat.length !== weightsOf(spec).reduce((sum, [, shape]) => sum + sizeOf(shape), 0))
      throw new Error("other sizes");
    const path = join(folder, "weights.bin");
    writeFileSync(path, new Uint8Array(flat.buffer));
    const ours = async () => {
      at = 0;
      const [began, cpu] = [performance.now(), process.cpuUsage()];
      const { fit } = await train(start, task, {
        steps,
        batchSize: spec.batch,
        testRows: 0,
        optimiser: adam({ rate: rule.rate }),
      });
      const { user, system } = process.cpuUsage(cpu);
      return { check: [...fit.losses], wallMs: performance.now() - began, cpuMs: (user + system) / 1000 };
    };
    const sides = { "Attention Lab, train()": ours };
    const others = [];
    for (const mode of ["eager", "sdpa"]) {
      const torch = torchSide();
      others.push(torch);
      const opening = {
        do: "open",
        spec: { ...spec, weights: weightsOf(spec) },
        path,
        count: flat.length,
        train: true,
        ...rule,
      };
      sides[`PyTorch, ${mode}`] = async () => {
        await torch.ask(opening);
        return torch.ask({ do: "train", mode, steps, ids: [...data.ids], targets: [...data.targets] });
      };
    }
    const times = Object.fromEntries(Object.keys(sides).map((side) => [side, { cpu: [], wall: [] }]));
    for (let round = 0; round <= rounds; round++) {
      let expected;
      for (const [side, run] of Object.entries(sides)) {
        const { check, cpuMs, wallMs } = await run();
        expected ??= check;
        const worst = Math.max(...check.map((loss, step) => Math.abs(loss - expected[step])));
        if (!(worst < 2e-2)) throw new Error(`${name}: ${side} is off by ${worst}`);
        // The first round warms up.
        if (round > 0) {
          times[side].cpu.push(cpuMs / steps);
          times[side].wall.push(wallMs / steps);
        }
        await pause(60);
      }
    }
    console.log(
      `${name}: ${spec.layers} layers, width ${spec.width}, batch ${spec.batch}, T = ${spec.length}, ${steps} steps a turn`,
    );
    const [own] = Object.values(times);
    for (const [side, time] of Object.entries(times)) {
      const share = (kind) => median(time[kind].map((x, i) => own[kind][i] / x)).toFixed(2);
      const figure = (kind) => `${median(time[kind]).toFixed(2).padStart(8)} ms ${kind}`;
      console.log(
        `  ${side.padEnd(26)}${figure("cpu")}${figure("wall")}   ours ÷ it: ${share("cpu")} cpu, ${share("wall")} wall`,
      );
    }
    for (const other of others) other.end();
  }
} finally {
  rmSync(folder, { recursive: true });
}
process.exit(0);

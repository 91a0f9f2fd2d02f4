import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Problem } from "../../kernel/lib/index.js";
import {
  adam,
  DivergedError,
  graph,
  optimise,
  random,
  sgd,
  tasks,
  Tensor,
  train,
  transformer,
} from "../../kernel/lib/index.js";

const { build } = graph;
const folder = mkdtempSync(join(tmpdir(), "attention-lab-training-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const task = tasks.copying({ vocabulary: 6, period: 4 });
const small = {
  layers: 1,
  heads: 2,
  width: 8,
  vocabulary: task.vocabulary,
  length: task.length,
  mlpWidth: 16,
} as const;
const common = { batchSize: 8, testRows: 16, optimiser: adam({ rate: 3e-3 }) } as const;

describe("a run of training", () => {
  it("is the same bit for bit however its steps are spread, and goes on where it was interrupted", async () => {
    const model = await transformer(small);
    const whole = await train(model, task, { ...common, steps: 12, stepsPerRun: 12 });
    const single = await train(model, task, { ...common, steps: 12, stepsPerRun: 1 });
    expect(single.fit.losses).toEqual(whole.fit.losses);
    const controller = new AbortController();
    const evaluate = async (_: unknown, step: number): Promise<Record<string, number>> => {
      if (step === 4) controller.abort();
      return Promise.resolve({});
    };
    const stopped = await train(model, task, {
      ...common,
      steps: 12,
      evaluateEvery: 4,
      evaluate,
      signal: controller.signal,
    });
    expect([stopped.fit.steps, stopped.fit.isFinished]).toEqual([4, false]);
    const rest = await train(model, task, { ...common, steps: 12, from: stopped });
    expect(rest.fit.losses).toEqual(whole.fit.losses);
    expect(rest.fit.parameters["unembed.weight"].data).toEqual(whole.fit.parameters["unembed.weight"].data);
    expect(rest.test).toEqual(whole.test);
    const other = await train(await transformer({ ...small, seed: 1 }), task, { ...common, steps: 12 });
    expect(other.fit.losses).not.toEqual(whole.fit.losses);
    await expect(train(model, task, { ...common, steps: 12, from: other })).rejects.toThrow(
      '"from" is another run: start differ',
    );
  });

  it("survives being killed at any moment: the same command ends in the same curve", async () => {
    const library = new URL("../../kernel/lib/index.js", import.meta.url).href;
    const checkpoint = join(folder, "killed.checkpoint");
    const script = join(folder, "run.mjs");
    writeFileSync(
      script,
      `import { adam, tasks, train, transformer } from ${JSON.stringify(library)};
       const task = tasks.copying({ vocabulary: 6, period: 4 });
       const model = await transformer(${JSON.stringify({ ...small, vocabulary: undefined })
         .replace("}", ', "vocabulary": task.vocabulary }')
         .replace(/, *"vocabulary": task/, ", vocabulary: task")});
       const wait = async () => { process.stdout.write("."); await new Promise((go) => setTimeout(go, 3)); return {}; };
       const options = { batchSize: 8, testRows: 0, optimiser: adam({ rate: 3e-3 }), steps: 60, stepsPerRun: 2 };
       const { fit } = await train(model, task, { ...options, evaluateEvery: 2, evaluate: wait, checkpoint: process.argv[2], checkpointEvery: 4 });
       console.log("done " + [...fit.losses].join());
       process.exit(0);`,
    );
    /** Runs the script; kills it after so many evaluations. */
    const run = async (path: string, killAfter: number): Promise<string> =>
      new Promise((resolve, reject) => {
        const child = spawn(process.execPath, [script, path], { stdio: ["ignore", "pipe", "pipe"] });
        let [out, errors] = ["", ""];
        child.stdout.on("data", (data: Buffer) => {
          out += data.toString();
          if (out.length >= killAfter && !out.includes("done")) child.kill("SIGKILL");
        });
        child.stderr.on("data", (data: Buffer) => (errors += data.toString()));
        child.on("close", (code, signal) =>
          code === 0 || signal === "SIGKILL" ? resolve(out) : reject(new Error(errors)),
        );
      });
    const uninterrupted = await run(join(folder, "whole.checkpoint"), Infinity);
    let last = "";
    let kills = 0;
    for (const after of [3, 6, 1, 9, Infinity]) {
      last = await run(checkpoint, after);
      if (after !== Infinity && !last.includes("done")) kills++;
    }
    expect(kills).toBeGreaterThan(1);
    expect(last.slice(last.indexOf("done"))).toBe(uninterrupted.slice(uninterrupted.indexOf("done")));
  }, 300_000);

  it("a checkpoint of another run is refused with what differs; a broken one is a clear error", async () => {
    const checkpoint = join(folder, "own.checkpoint");
    const model = await transformer(small);
    await train(model, task, { ...common, steps: 3, checkpoint });
    expect(existsSync(checkpoint)).toBe(true);
    const again = await train(model, task, { ...common, steps: 5, checkpoint });
    expect(again.fit.steps).toBe(5);
    const faster = { ...common, optimiser: adam({ rate: 0.1 }) };
    await expect(train(model, task, { ...faster, steps: 6, checkpoint })).rejects.toThrow(
      /this checkpoint belongs to another run: optimiser.* differ/,
    );
    writeFileSync(checkpoint, readFileSync(checkpoint).subarray(0, 100));
    await expect(train(model, task, { ...common, steps: 6, checkpoint })).rejects.toThrow(checkpoint);
  });

  it("that diverges ends in an error that names the step and keeps the state before it", async () => {
    const problem: Problem = {
      parameters: { w: new Tensor("float32", [1], Float32Array.of(2)) },
      loss: ({ w }) => build.reduceSum(build.mul(build.mul(w, w), build.mul(w, w))),
      batch: () => ({ none: new Tensor("float32", [], Float32Array.of(0)) }),
    };
    const failed = await optimise(problem, { steps: 50, optimiser: sgd({ rate: 1 }), stepsPerRun: 1 }).catch(
      (error: unknown) => error,
    );
    expect(failed).toBeInstanceOf(DivergedError);
    const { message, fit } = failed as DivergedError;
    expect(message).toMatch(
      /the (loss|slope|change) of step \d+ is not a number \(rate 1\); the state after \d+ steps is kept/,
    );
    expect(fit.losses.every(Number.isFinite)).toBe(true);
    expect(fit.parameters["w"].data.every(Number.isFinite)).toBe(true);
  });

  it("keeps patterns at chosen steps, measures on other rows, and shows curves", async () => {
    const model = await transformer(small);
    const trained = await train(model, task, { ...common, steps: 6, capture: { steps: [0, 3, 6] } });
    const { snapshots, fit, test } = trained;
    expect(snapshots.map(({ step }) => step)).toEqual([0, 3, 6]);
    const [first, , last] = snapshots.map(({ run }) => run.at("blocks.0.attn.pattern"));
    expect(first.shape).toEqual([1, 2, 8, 8]);
    expect(first.data).not.toEqual(last.data);
    // One grid of heads with a sample for each of these steps: what its heads put on the first token, by its patterns.
    const { payload } = await trained.patterns();
    expect(payload.samples.map(({ text }) => text)).toEqual(["after 0 steps", "after 3 steps", "after 6 steps"]);
    const shares = payload.samples.map(({ scalars }) => scalars.firstTokenMass[1]);
    const means = snapshots.map(({ run }) => {
      const pattern = run.at("blocks.0.attn.pattern");
      return Array.from({ length: 8 }, (_, q) => pattern.item(0, 1, q, 0)).reduce((sum, x) => sum + x / 8, 0);
    });
    shares.forEach((share, i) => expect(share).toBeCloseTo(means[i], 3));
    const linear = await transformer({ ...small, mechanism: "deltaRule", unitKeys: true });
    const signed = await train(linear, task, { ...common, steps: 1, testRows: 0, capture: { steps: [0] } });
    expect((await signed.patterns()).payload.title).toContain("|weights|, some of which are negative");
    const without = await train(model, task, { ...common, steps: 1, testRows: 0 });
    await expect(without.patterns()).rejects.toThrow("patterns: no steps were kept; pass capture");
    expect(Object.keys(test).sort()).toEqual(["accuracy", "loss"]);
    const shown = (fit as unknown as Record<symbol, () => Record<string, unknown>>)[Symbol.for("Jupyter.display")]();
    expect(Object.keys(shown)).toEqual(["application/vnd.attention-lab.curves.v1+json", "text/plain"]);
    expect(String(shown["text/plain"])).toMatch(/^transformer on copying: 6 of 6 steps\nloss /);
  });

  it("a model that does not fit its task is refused", async () => {
    const short = await transformer({ ...small, length: 4 });
    await expect(train(short, task, { steps: 1 })).rejects.toThrow(
      "rows of copying are 8 tokens long, but transformer reads 4",
    );
    const poor = await transformer({ ...small, vocabulary: 3 });
    await expect(train(poor, task, { steps: 1 })).rejects.toThrow("copying has 7 tokens, but transformer knows 3");
  });
});

it("random streams give the same batches whatever order they are asked in", () => {
  expect(task.batch(3, 4).inputIds.data).toEqual(tasks.copying({ vocabulary: 6, period: 4 }).batch(3, 4).inputIds.data);
  expect(random(1).fork("a").uniform([3]).data).toEqual(random(1).fork("a").uniform([3]).data);
});

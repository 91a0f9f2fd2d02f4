import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { EngineError, FailedStepError, graph, random, sgd, tensor } from "../../kernel/lib/index.js";
import { OrtEngine } from "../../kernel/lib/host/session.js";
import type { OptimiseOptions, Problem, TrainingHost } from "../../kernel/lib/training/index.js";
import { optimiseOn } from "../../kernel/lib/training/index.js";

const { build } = graph;
const folder = mkdtempSync(join(tmpdir(), "attention-lab-memory-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const problem: Problem = {
  parameters: { w: tensor([[0], [0]]) },
  loss: ({ w }, { x }) => build.reduceMean(build.pow(build.sub(build.matMul(x, w), 1), 2)),
  batch: (step) => ({ x: random(1).fork(step).normal([16, 2]) }),
};

/** A machine whose memory is taken by others after so many loads and runs. */
function hostWith(enough: number): TrainingHost {
  let asked = 0;
  return {
    engine: new OrtEngine("cpu", { freeBytes: () => (asked++ < enough ? 1e12 : 100) }),
    interruptSignal: () => undefined,
    clock: () => performance.now(),
    read: async (path) => Promise.resolve(existsSync(path) ? Uint8Array.from(readFileSync(path)) : undefined),
    replace: async (path, bytes) => Promise.resolve(writeFileSync(path, bytes)),
    report: () => ({ update: () => undefined, finish: () => undefined }),
  };
}

it("a step for which there is too little memory ends in an error that keeps the run, which goes on to the same curve", async () => {
  const options: OptimiseOptions = { steps: 6, optimiser: sgd({ rate: 0.1 }), stepsPerRun: 1, title: "small" };
  const whole = await optimiseOn(hostWith(Infinity), problem, options);
  const checkpoint = join(folder, "run.checkpoint");
  // One question when it is loaded, one for each of three steps.
  const error = await optimiseOn(hostWith(4), problem, { ...options, checkpoint }).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(FailedStepError);
  expect(error).toBeInstanceOf(EngineError);
  const { message, fit } = error as FailedStepError;
  expect(message).toMatch(/^small: step 3 could not be run: run: needs \d\.\d+ GB, 0\.000 GB free; the state after 3 steps is kept in this error's fit and in .*run\.checkpoint; smaller batches take less memory/); // prettier-ignore
  expect([fit.steps, fit.isFinished]).toEqual([3, false]);
  expect(fit.losses).toEqual(whole.losses.slice(0, 3));
  const on = await optimiseOn(hostWith(Infinity), problem, { ...options, from: fit });
  expect(on.losses).toEqual(whole.losses);
  const again = await optimiseOn(hostWith(Infinity), problem, { ...options, checkpoint });
  expect(again.parameters["w"].data).toEqual(whole.parameters["w"].data);
});

// Tries one device, named by the argument, and prints what it found as a line of JSON.
// It is a process of its own because a driver that is missing or broken may write to the terminal, or crash.
import { build, evaluate, input } from "../graph/index.js";
import { random } from "../tensor/index.js";
import { OrtEngine } from "./session.js";

const device = process.argv[2] ?? "cpu";
const x = input("x", "float32", ["token", 8]);
const scores = build.matMul(x, build.transpose(x, [1, 0]));
const graph = { mixed: build.matMul(build.softmax(scores, -1), x) };
const feeds = { x: random(1).normal([5, 8]) };
const expected = evaluate(graph, feeds)["mixed"]!.data;

/** The largest error of one run, in which a wrong result of a driver shows. */
async function errorIn(dtype: "float32" | "float16"): Promise<number> {
  const compiled = await new OrtEngine(device, { dtype }).compile(graph);
  const got = (await compiled.run(feeds))["mixed"]!.numbers();
  return expected.reduce((max, value, i) => Math.max(max, Math.abs(value - got[i]!)), 0);
}

async function probe(): Promise<{ readonly dtypes: readonly string[] } | { readonly error: string }> {
  try {
    const error = await errorIn("float32");
    if (!(error < 1e-4)) return { error: `a small graph gave wrong numbers, off by ${error.toPrecision(2)}` };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
  const isHalf = await errorIn("float16").then(
    (error) => error < 1e-2,
    () => false,
  );
  return { dtypes: isHalf ? ["float32", "float16"] : ["float32"] };
}

process.stdout.write(`${JSON.stringify(await probe())}\n`);

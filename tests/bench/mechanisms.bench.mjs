// What each mechanism costs over T = 256 … 16 384: one head of 64 channels (more where heads differ), one pass forward,
// patterns not asked for.
//   node tests/bench/mechanisms.bench.mjs [name …] [--longest 16384] [--limit 20]
// Each mechanism in a process of its own, so that its peak of memory is its own. It stops before a length at which
// writing, compiling and a first run would take longer than --limit seconds. All times are processor time of the whole
// process, so that other work on the machine shows little.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { mechanisms } from "../../kernel/lib/attention/index.js";
import { input } from "../../kernel/lib/graph/index.js";
import { OrtEngine } from "../../kernel/lib/host/session.js";
import { random } from "../../kernel/lib/tensor/index.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    longest: { type: "string", default: "16384" },
    limit: { type: "string", default: "20" },
    one: { type: "boolean", default: false },
  },
});
const [shortest, longest, limit] = [256, Number(values.longest), Number(values.limit)];
const width = 64;
/** Options under which a mechanism is what it is called at these lengths. */
const measured = { hyperAttention: { exactUpTo: 0 } };
/** How many heads those have that treat them differently. */
const headsOf = { crossShaped: 2, factorised: 2 };

function operandsOf(unit, length) {
  const heads = headsOf[unit.name] ?? 1;
  const sizes = { batch: 1, heads, keyHeads: heads, valueHeads: heads, queries: length, keys: length };
  const feeds = {};
  const leaf = (name, tensor) => {
    feeds[name] = tensor;
    return input(name, "float32", tensor.shape);
  };
  const drawn = (name, shape) => leaf(name, random(1).fork(name).normal(shape, { deviation: 0.3 }));
  const picture = "grid" in unit.defaults ? { grid: [16, length / 16] } : {};
  const options = unit.optionsOf({ ...picture, ...measured[unit.name] });
  const wanted = unit.parameters?.({ ...sizes, headDim: width, valueDim: width }, options) ?? {};
  const gate = ([name, { per, range }]) => {
    const shape = per === "head" ? [1, heads, length] : [1, heads, length, width];
    const [low, high] = range.map((end, i) => (Number.isFinite(end) ? end : 2 * i - 1));
    const edge = 0.05 * (high - low);
    return [
      name,
      leaf(
        name,
        random(1)
          .fork(name)
          .uniform(shape, { low: low + edge, high: high - edge }),
      ),
    ];
  };
  const call = {
    ...Object.fromEntries(["q", "k", "v"].map((name) => [name, drawn(name, [1, heads, length, width])])),
    parameters: Object.fromEntries(Object.entries(wanted).map(([name, { shape }]) => [name, drawn(name, shape)])),
    gates: Object.fromEntries(Object.entries(unit.gates ?? {}).map(gate)),
  };
  return { call, feeds, options };
}

/** Processor time of this process so far, in milliseconds, over all its threads. */
const busy = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** Milliseconds of a pass at each length that is reached. */
async function curveOf(unit) {
  const engine = new OrtEngine("cpu");
  const points = [];
  for (let length = shortest; length <= longest; length *= 2) {
    const start = busy();
    const { call, feeds, options } = operandsOf(unit, length);
    const compiled = await engine.compile({ z: unit.attend(call, options).z });
    const timed = async () => {
      const from = busy();
      await compiled.run(feeds);
      return busy() - from;
    };
    let best = await timed();
    const whole = busy() - start;
    for (let round = 0; round < 3 && (round === 0 || best < 500); round++) best = Math.min(best, await timed());
    await compiled.dispose();
    points.push({ length, ms: best });
    if (4 * whole > 1000 * limit) break;
  }
  return { points, peakMb: process.resourceUsage().maxRSS / 1024 };
}

/** Slope of log time over log length, by least squares over the last four lengths. */
function exponentOf(points) {
  const last = points.slice(-4).map(({ length, ms }) => [Math.log(length), Math.log(ms)]);
  const mean = (column) => last.reduce((sum, row) => sum + row[column], 0) / last.length;
  const [x, y] = [mean(0), mean(1)];
  const over = last.reduce((sum, row) => sum + (row[0] - x) * (row[1] - y), 0);
  return over / last.reduce((sum, row) => sum + (row[0] - x) ** 2, 0);
}

/** The first length from which on a mechanism is ahead of softmax at every length that both reach. */
function aheadFrom(points, softmax) {
  const both = points.filter(({ length }) => softmax.some((other) => other.length === length));
  const behind = both.findLastIndex(({ length, ms }) => ms >= softmax.find((other) => other.length === length).ms);
  return both[behind + 1]?.length;
}

if (values.one) {
  console.log(JSON.stringify(await curveOf(mechanisms[positionals[0]])));
} else {
  const wanted = positionals.length > 0 ? positionals : Object.keys(mechanisms);
  const names = ["softmax", ...wanted.filter((name) => name !== "softmax")];
  const lengths = [];
  for (let length = shortest; length <= longest; length *= 2) lengths.push(length);
  console.log(`| mechanism | ${lengths.join(" | ")} | exponent | ahead from | peak MB | stated time |`);
  console.log(`| --- | ${lengths.map(() => "---").join(" | ")} | --- | --- | --- | --- |`);
  let softmax = [];
  for (const name of names) {
    const own = ["--one", name, "--longest", String(longest), "--limit", String(limit)];
    const child = spawnSync(process.execPath, [fileURLToPath(import.meta.url), ...own], { encoding: "utf8" });
    if (child.status !== 0) {
      const why = child.stderr.split("\n").find((line) => line.includes("Error")) ?? `ended with ${child.status}`;
      console.log(`| ${name} | ${why} |`);
      continue;
    }
    const { points, peakMb } = JSON.parse(child.stdout);
    if (name === "softmax") softmax = points;
    const cells = lengths.map((length) => points.find((point) => point.length === length)?.ms.toPrecision(3) ?? "");
    const ahead = name === "softmax" ? "" : (aheadFrom(points, softmax) ?? "–");
    const { time = "" } = mechanisms[name].cost ?? {};
    console.log(
      `| ${name} | ${cells.join(" | ")} | ${exponentOf(points).toFixed(2)} | ${ahead} | ${peakMb.toFixed(0)} | ${time} |`,
    );
  }
}

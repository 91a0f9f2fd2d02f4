import { describe, expect, it } from "vitest";
import type { Carried, Compiled, Engine, Join, Value } from "../../kernel/lib/graph/index.js";
import {
  build,
  evaluate,
  futureLabel,
  inBlocks,
  input,
  piecesOf,
  programOf,
  repeat,
  runPieces,
} from "../../kernel/lib/graph/index.js";
import { random } from "../../kernel/lib/index.js";
import type { Tensor as AnyTensor } from "../../kernel/lib/tensor/index.js";
import { packNumbers, Tensor } from "../../kernel/lib/tensor/index.js";

type Tensors = Readonly<Record<string, AnyTensor>>;

/** The memory of a tensor is gone, as after it was sent to another thread. */
function takeAway({ data }: AnyTensor): void {
  structuredClone(data.buffer, { transfer: [data.buffer as ArrayBuffer] });
}

/** The reference as an engine that counts its runs, and takes what it is given. */
function referenceEngine(): Engine & { readonly runs: { count: number; open: number } } {
  const runs = { count: 0, open: 0 };
  const compile: Engine["compile"] = (given) => {
    const { inputs, outputs } = programOf(given);
    runs.open++;
    const computed = (feeds: Tensors): Tensors => {
      for (const { data } of Object.values(feeds)) expect(data.buffer.byteLength).toBeGreaterThan(0);
      return Object.fromEntries(
        Object.entries(evaluate(outputs, feeds)).map(([name, { shape, data }]) => {
          const { dtype } = outputs[name];
          return [name, new Tensor(dtype, shape, packNumbers(dtype, data))];
        }),
      );
    };
    const some = (all: Tensors, names: readonly string[] = Object.keys(outputs)): Tensors =>
      Object.fromEntries(names.map((name) => [name, all[name]]));
    const run: Compiled["run"] = (feeds, names, { signal, gives = [] } = {}) => {
      if (signal?.aborted) return Promise.reject(new Error(String(signal.reason)));
      runs.count++;
      const results = computed(feeds);
      gives.forEach((name) => takeAway(feeds[name]));
      return Promise.resolve(some(results, names));
    };
    const carry: Compiled["carry"] = (next, first, { kept = {}, gives = [] } = {}) => {
      const copies = ([name, tensor]: [string, AnyTensor]) =>
        [name, new Tensor(tensor.dtype, tensor.shape, tensor.data.slice())] as const;
      let state: Tensors = Object.fromEntries(Object.entries({ ...first, ...kept }).map(copies));
      gives.forEach((name) => takeAway(kept[name]));
      const carried: Carried = {
        run: (feeds, names, { signal } = {}) => {
          if (signal?.aborted) return Promise.reject(new Error(String(signal.reason)));
          runs.count++;
          const results = computed({ ...feeds, ...state });
          state = { ...state, ...Object.fromEntries(Object.entries(next).map(([name, own]) => [name, results[own]])) };
          return Promise.resolve(some(results, names));
        },
        read: () => Promise.resolve(some(state, Object.keys(next))),
        end: (wanted) => Promise.resolve(some(state, wanted)),
        dispose: () => Promise.resolve(),
      };
      return Promise.resolve(carried);
    };
    const dispose = (): Promise<void> => Promise.resolve(void runs.open--);
    return Promise.resolve({ key: "", inputs, outputs: Object.keys(outputs), run, carry, dispose });
  };
  return { device: "cpu", dtype: "float32", compile, runs };
}

const [length, width] = [7, 4];
const x = input("x", "float64", ["query", width]);
const feeds: Tensors = { x: random(3).normal([length, width], { dtype: "float64" }) };

/** Attention that keeps a stream, twice, and what is summed and read of its patterns. */
function twoLayers(): Record<string, Value> {
  let stream: Value = x;
  const results: Record<string, Value> = {};
  for (const layer of [0, 1]) {
    const pattern = build.softmax(build.matMul(build.mul(stream, 2), build.transpose(build.tanh(stream), [1, 0])), -1);
    stream = build.named("resid", build.add(stream, build.matMul(pattern, build.mul(stream, 0.5))));
    results[`received ${layer}`] = build.reduceSum(pattern, [0]);
    results[`share ${layer}`] = build.reduceMax(build.div(pattern, build.add(results[`received ${layer}`], 1)), [1]);
  }
  return { ...results, stream, mean: build.reduceMean(stream), fed: x, one: build.scalar(1, "float64") };
}

/** Attention that sees no later keys; its rows lie along the first axis, the last, and two beside one another. */
function causal(): Record<string, Value> {
  const order = build.cumSum(build.expand(build.scalar(1, "float64"), ["query"]), 0);
  const future = build.named(futureLabel, build.less(build.unsqueeze(order, [1]), build.unsqueeze(order, [0])));
  const scores = build.matMul(build.mul(x, 2), build.transpose(build.tanh(x), [1, 0]));
  const pattern = build.softmax(build.where(future, -3e38, scores), -1);
  const z = build.matMul(pattern, x);
  return {
    z,
    turned: build.tanh(build.transpose(z, [1, 0])),
    beside: build.tanh(build.reshape(z, ["2*query", width / 2])),
    again: build.exp(z),
    highest: build.reduceMax(build.unsqueeze(pattern, [0]), [2]),
  };
}

async function expectSame(
  given: Readonly<Record<string, Value>>,
  fed: Tensors,
  { joins, wanted }: { readonly joins?: readonly Join[]; readonly wanted?: Tensors } = {},
) {
  const engine = referenceEngine();
  const done: number[] = [];
  const found = await runPieces(engine, piecesOf(given, joins), fed, {
    spanMs: 0,
    onProgress: (share) => done.push(share),
  });
  const whole = wanted ?? evaluate(given, fed);
  expect(Object.keys(found)).toEqual(Object.keys(given));
  for (const name of Object.keys(given)) {
    const [a, b] = [found[name], whole[name]];
    expect(a.shape).toEqual(b.shape);
    a.numbers().forEach((value, i) => expect(Math.abs(value - Number(b.data[i]))).toBeLessThan(1e-12));
  }
  expect(engine.runs.open).toBe(0);
  return { runs: engine.runs.count, done };
}

describe("a graph that runs piece by piece", () => {
  it.each([1, 2, 3, 20])("gives the values of blocks of %i rows, and leaves what it was fed", async (rows) => {
    const given = twoLayers();
    for (const keep of [() => false, ({ label }: Value) => label === "resid"]) {
      const blocks = inBlocks(given, { word: "query", length, rows, narrow: 0, keep });
      for (const joins of [[], blocks.joins]) {
        const { done } = await expectSame(blocks.outputs, { ...feeds, ...blocks.feeds }, { joins });
        expect(done.length).toBeGreaterThanOrEqual(2 * Math.ceil(length / rows));
        expect(done).toEqual(done.toSorted((a, b) => a - b));
        expect(done.at(-1)).toBeCloseTo(1, 12);
      }
    }
    expect(feeds["x"].numbers().length).toBe(length * width);
  });

  it.each([
    [1, 7],
    [2, 4],
    [2, 2],
    [3, 2],
    [20, 1],
  ])("writes blocks of %i rows of %i loops where they belong, whatever their axis", async (rows, parts) => {
    const given = causal();
    const blocks = inBlocks(given, { word: "query", length, rows, parts, rowsAlone: 3, narrow: 0 });
    expect(new Set(blocks.joins.map(({ axis }) => axis))).toEqual(new Set([0, 1]));
    const most = Math.max(...blocks.joins.map(({ strips }) => strips.length));
    expect(most).toBe(Math.min(parts, Math.ceil(length / rows)));
    const wanted = evaluate(given, feeds);
    const { pieces } = piecesOf(blocks.outputs, blocks.joins);
    const joined = pieces.flatMap(({ loop }) => (loop ? Object.values(loop.rows) : []));
    expect(joined.length).toBe(blocks.joins.flatMap(({ strips }) => strips).length);
    // Nothing is put together in a piece of its own.
    const isJoining = ({ op, inputs }: Value): boolean => op === "Gather" && inputs[1].label === "blocks.all";
    expect(pieces.flatMap(({ outputs }) => programOf(outputs).values).filter(isJoining)).toEqual([]);
    const found = await runPieces(referenceEngine(), piecesOf(blocks.outputs, blocks.joins), {
      ...feeds,
      ...blocks.feeds,
    });
    for (const name of Object.keys(given)) {
      expect(found[name].shape).toEqual(wanted[name].shape);
      found[name].numbers().forEach((value, i) => expect(value).toBeCloseTo(Number(wanted[name].data[i]), 12));
    }
  });

  it("gives the same for loops both ways that read one another, and for a graph without loops", async () => {
    const step = ({ s }: { s: Value }, { row }: { row: Value }) => {
      const next = build.tanh(build.add(s, row));
      return { next: { s: next }, collect: { seen: build.mul(next, build.reduceSum(x)) } };
    };
    const start = { s: build.expand(build.scalar(0.1, "float64"), [width]) };
    const forth = repeat("query", start, step, { over: { row: x } });
    const back = repeat("query", { s: forth.last.s }, step, { over: { row: forth.collected.seen }, reverse: true });
    const three = repeat(3, { s: back.last.s }, ({ s }, _, turn) => ({
      next: { s: build.mul(s, 2) },
      collect: { turn, s },
    }));
    await expectSame(
      { seen: back.collected.seen, turn: three.collected.turn, s: three.collected.s, last: three.last.s },
      feeds,
    );
    expect((await expectSame({ y: build.mul(x, 2) }, feeds)).runs).toBe(1);
  });

  it("takes more turns at a time while they take less than the span", async () => {
    const blocks = inBlocks(twoLayers(), { word: "query", length, rows: 1, narrow: 0 });
    const all = { ...feeds, ...blocks.feeds };
    const few = referenceEngine();
    await runPieces(few, piecesOf(blocks.outputs), all, { spanMs: 1e6 });
    const many = referenceEngine();
    await runPieces(many, piecesOf(blocks.outputs), all, { spanMs: 0 });
    expect(few.runs.count).toBeLessThan(many.runs.count - length);
  });

  it("holds no table of pairs between pieces, nor inside of one", () => {
    const blocks = inBlocks(twoLayers(), { word: "query", length, rows: 2, narrow: 0 });
    const { pieces } = piecesOf(blocks.outputs);
    const values = pieces.flatMap(({ outputs }) => programOf(outputs).values);
    const all = values.flatMap((value) => [value, ...(value.loop ? [...value.loop.next, ...value.loop.collect] : [])]);
    const isTable = ({ shape }: Value): boolean => shape.filter((dim) => String(dim).includes("query")).length > 1;
    expect(all.filter(isTable)).toEqual([]);
  });

  it("stops after the turns that are under way when it is interrupted", async () => {
    const blocks = inBlocks(twoLayers(), { word: "query", length, rows: 1, narrow: 0 });
    const engine = referenceEngine();
    const controller = new AbortController();
    let asked = NaN;
    const onProgress = (): void => {
      if (!controller.signal.aborted) asked = engine.runs.count;
      controller.abort(new Error("enough"));
    };
    const run = runPieces(engine, piecesOf(blocks.outputs), { ...feeds, ...blocks.feeds }, {
      ...{ onProgress, spanMs: 0, signal: controller.signal },
    }); // prettier-ignore
    await expect(run).rejects.toThrow("enough");
    expect(engine.runs).toEqual({ count: asked, open: 0 });
  });
});

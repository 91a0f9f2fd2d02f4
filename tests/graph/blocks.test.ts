import { describe, expect, it } from "vitest";
import { rowwiseOps } from "../../kernel/lib/graph/blocks/rows.js";
import { build, evaluate, futureLabel, inBlocks, input, operators, repeat } from "../../kernel/lib/graph/index.js";
import type { Dense, Value } from "../../kernel/lib/graph/index.js";
import { random } from "../../kernel/lib/index.js";

const [length, width, heads] = [7, 6, 2];
const x = input("x", "float64", ["query", width]);
const feeds = { x: random(1).normal([length, width], { dtype: "float64" }) };

/** Attention of two heads over what x says, with a table of distances: everything that a layer does. */
function layer(stream: Value): { pattern: Value; next: Value } {
  const split = (y: Value): Value => build.transpose(build.reshape(y, ["query", heads, width / heads]), [1, 0, 2]); // [H,Q,D]
  const [q, k] = [split(stream), build.transpose(split(build.tanh(stream)), [0, 2, 1])];
  const pattern = build.softmax(build.matMul(q, k), -1); // [H,Q,K]
  const z = build.reshape(build.transpose(build.matMul(pattern, split(stream)), [1, 0, 2]), ["query", width]);
  return { pattern, next: build.named("resid", build.add(stream, z)) };
}

const order = build.cumSum(build.expand(build.scalar(1, "float64"), ["query"]), 0);
const first = layer(x);
const second = layer(first.next);
const apart = build.abs(build.sub(build.unsqueeze(order, [1]), build.unsqueeze(order, [0])));
const received = build.reduceSum(second.pattern, [1]);
const outputs = {
  next: second.next,
  received,
  // What follows from a sum over queries, and rows of the same pattern again.
  share: build.reduceSum(build.div(second.pattern, build.unsqueeze(received, [1])), [2]),
  distance: build.reduceSum(build.mul(first.pattern, apart)),
  highest: build.reduceMax(first.pattern, [1]),
  // A product over queries: patternᵀ · x.
  back: build.matMul(build.transpose(second.pattern, [0, 2, 1]), x),
  whole: build.mul(first.pattern, 2),
};

/** Every value of a graph, those in the bodies of loops included. */
function allValues(given: Readonly<Record<string, Value>>): readonly Value[] {
  const found = new Set<Value>();
  const stack = Object.values(given);
  while (stack.length > 0) {
    const value = stack.pop()!;
    if (found.has(value)) continue;
    found.add(value);
    stack.push(...value.inputs, ...(value.loop ? [...value.loop.next, ...value.loop.collect] : []));
  }
  return [...found];
}

const isTable = ({ shape }: Value): boolean => shape.filter((dim) => String(dim).includes("query")).length > 1;

function close(a: Dense, b: Dense, tolerance = 1e-12): void {
  expect(a.shape).toEqual(b.shape);
  a.data.forEach((value, i) => expect(Math.abs(value - b.data[i])).toBeLessThan(tolerance));
}

describe("a graph in blocks of rows", () => {
  const whole = evaluate(outputs, feeds);

  it.each([1, 2, 3, 7, 20])("gives the same values in blocks of %i rows", (rows) => {
    for (const fixed of [false, true]) {
      const options = { word: "query", length, rows, narrow: 0, fixed, keep: ({ label }: Value) => label === "resid" };
      const blocks = inBlocks(outputs, options);
      const found = evaluate(blocks.outputs, { ...feeds, ...blocks.feeds });
      for (const name of Object.keys(outputs)) close(found[name], whole[name]);
    }
  });

  it("gives the same values where nothing is kept between loops, and where narrow values are computed whole", () => {
    for (const narrow of [0, 1, 1000]) {
      const blocks = inBlocks(outputs, { word: "query", length, rows: 3, narrow });
      const found = evaluate(blocks.outputs, { ...feeds, ...blocks.feeds });
      for (const name of Object.keys(outputs)) close(found[name], whole[name]);
    }
  });

  it("holds no table of pairs, inside or outside of loops, where none is asked for", () => {
    const { whole: table, ...rest } = outputs;
    expect(isTable(table)).toBe(true);
    expect(allValues(rest).some(isTable)).toBe(true);
    const blocks = inBlocks(rest, { word: "query", length, rows: 3 });
    expect(allValues(blocks.outputs).filter(isTable)).toEqual([]);
    expect(allValues(blocks.outputs).some(({ shape }) => shape.join() === `${heads},3,query`)).toBe(true);
  });

  it("computes a residual stream that is kept once: one loop per attention, and what comes before it", () => {
    const options = { word: "query", length, rows: 3, narrow: 0, keep: ({ label }: Value) => label === "resid" };
    const loops = new Set(
      allValues(inBlocks({ next: second.next }, options).outputs).flatMap(({ loop }) => loop ?? []),
    );
    expect(loops.size).toBe(4);
  });

  it("refuses what needs all rows of a table at once, and rows that are none", () => {
    const wrong = { y: build.reduceSum(build.cumSum(first.pattern, 1), [2]) };
    const options = { word: "query", length, rows: 3 };
    expect(() => inBlocks(wrong, options)).toThrow(/blocks: CumSum needs all rows of an attention pattern at once/);
    expect(() => inBlocks(outputs, { ...options, rows: 0 })).toThrow(
      /rows must be a whole number of at least 1, got 0/,
    );
  });

  describe("in parts", () => {
    const behind = build.sub(build.unsqueeze(order, [1]), build.unsqueeze(order, [0]));
    const future = build.named(futureLabel, build.less(behind, 0));
    const hidden = build.mul(build.cast(future, "float64"), -3e38);
    const [q, k] = [build.mul(x, 1.5), build.transpose(build.tanh(x), [1, 0])];
    const scores = build.add(build.matMul(q, k), hidden);
    const pattern = build.softmax(scores, -1);
    const logs = build.maximum(build.apply("LogSoftmax", [scores], { axis: 1 }), -80);
    /** What a query can say without the keys after it. */
    const before: Record<string, Value> = {
      z: build.matMul(pattern, x),
      received: build.reduceSum(pattern, [0]),
      back: build.matMul(build.transpose(pattern, [1, 0]), x),
      entropy: build.reduceSum(build.mul(pattern, logs), [1]),
      distance: build.reduceSum(build.mul(pattern, build.abs(behind))),
      highest: build.reduceMax(scores, [1]),
      first: build.squeeze(build.slice(scores, 1, 0, 1), [1]),
      chosen: build.reduceSum(build.where(build.equal(behind, 1), pattern, 0), [1]),
    };
    /** What depends on them, or might. */
    const after: Record<string, Value> = {
      plain: build.reduceSum(build.softmax(build.matMul(q, k), -1), [1]),
      raised: build.reduceSum(build.add(pattern, 1), [1]),
      mean: build.reduceMean(pattern, [1]),
      lowest: build.reduceMax(build.neg(pattern), [1]),
      largest: build.topK(pattern, 2, 1).values,
      last: build.squeeze(build.slice(pattern, 1, 6, 7), [1]),
      raisedColumns: build.reduceSum(build.add(pattern, 1), [0]),
      table: pattern,
    };
    const inParts = (given: Record<string, Value>, rows: number, parts: number) =>
      inBlocks(given, { word: "query", length, rows, parts, narrow: 0 });
    const isCut = (given: Record<string, Value>): boolean =>
      allValues(given).some(({ shape }) => shape.length === 2 && shape[0] === 1 && shape[1] === 4);

    it.each([[1, 7], [2, 4], [3, 2], [2, 9]])("blocks of %i rows in %i parts give the same values", (rows, parts) => {
      for (const given of [before, after]) {
        const { outputs, feeds: more } = inParts(given, rows, parts);
        const [found, wanted] = [evaluate(outputs, { ...feeds, ...more }), evaluate(given, feeds)];
        for (const name of Object.keys(given)) close(found[name], wanted[name]);
      }
    }); // prettier-ignore

    describe("what comes after tables of pairs", () => {
      const stream = build.named("resid", build.add(x, build.tanh(build.mul(before["z"], 3))));
      const given: Record<string, Value> = {
        ...before,
        stream,
        turned: build.transpose(build.mul(stream, build.unsqueeze(before["entropy"], [1])), [1, 0]),
        beside: build.exp(build.reshape(stream, ["2*query", width / 2])),
        // Of the next layer, in another stage.
        next: build.reduceSum(build.softmax(build.matMul(stream, build.transpose(stream, [1, 0])), -1), [0]),
      };
      const wanted = evaluate(given, feeds);

      it.each([
        [1, 7, 2],
        [1, 3, 4],
        [2, 2, 3],
        [2, 2, 20],
        [3, 2, 5],
      ])("in blocks of %i rows in %i parts, is in blocks of %i rows and the same", (rows, parts, rowsAlone) => {
        const keep = ({ label }: Value): boolean => label === "resid";
        const options = { word: "query", length, rows, parts, narrow: 0, keep };
        const { outputs, feeds: more } = inBlocks(given, { ...options, rowsAlone });
        const found = evaluate(outputs, { ...feeds, ...more });
        for (const name of Object.keys(given)) close(found[name], wanted[name]);
        const loopsOf = (values: Readonly<Record<string, Value>>): number =>
          new Set(allValues(values).flatMap(({ loop }) => loop ?? [])).size;
        expect(loopsOf(outputs)).toBeGreaterThan(loopsOf(inBlocks(given, options).outputs));
      });

      it("is in the same blocks where they are as large", () => {
        const options = { word: "query", length, rows: 3, parts: 2, narrow: 0 };
        const { feeds: more } = inBlocks(given, { ...options, rowsAlone: 3 });
        expect(Object.keys(more).filter((name) => name.startsWith("blocks.alone"))).toEqual([]);
      });
    });

    it.each(Object.keys(before))("%s reads no keys after its query", (name) => {
      expect(isCut(inParts({ [name]: before[name] }, 1, 7).outputs)).toBe(true);
    });

    it.each(Object.keys(after))("%s reads all keys", (name) => {
      expect(isCut(inParts({ [name]: after[name] }, 1, 7).outputs)).toBe(false);
    });
  });

  it("leaves loops of the graph as they are", () => {
    const sum = repeat("query", { s: build.scalar(0, "float64") }, ({ s }, { row }) => ({
      next: { s: build.add(s, build.reduceSum(row)) },
    }), { over: { row: second.next } }).last.s; // prettier-ignore
    const blocks = inBlocks({ sum }, { word: "query", length, rows: 2, narrow: 0 });
    close(evaluate(blocks.outputs, { ...feeds, ...blocks.feeds })["sum"], evaluate({ sum }, feeds)["sum"]);
  });
});

it("knows the rows of every operator but of those that mix them: what it does not know is computed whole", () => {
  const others = Object.keys(operators).filter((op) => !rowwiseOps.has(op));
  expect(others.sort()).toEqual(["Conv", "ConvTranspose", "GatherND", "Pad", "ScatterElements", "ScatterND", "Trilu"]);
});

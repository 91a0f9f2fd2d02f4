import { describe, expect, it } from "vitest";
import { attributionGraph, edgeAttribution, load, logitDifference } from "../../kernel/lib/index.js";
import { attributionGraphMime, readAttributionGraph } from "../../kernel/lib/views/index.js";
import { readOracle } from "../models/oracle.js";

const clean = { inputIds: [[5, 6, 7, 8, 9]] };
const corrupted = { inputIds: [[11, 6, 13, 8, 15]] };

describe.each(["gpt2", "llama_rope3"])("the graph of edges on %s", (name) => {
  it("holds the scores of edgeAttribution, by the parts of the model", async () => {
    const model = await load((await readOracle(name)).folder);
    const scores = await edgeAttribution(model, clean, corrupted, { metric: logitDifference(7, 9) });
    const payload = readAttributionGraph((await attributionGraph(scores).bundle())[attributionGraphMime]);
    const { nodes, edges, all } = payload;
    const sum = scores.rows.reduce((total, { score }) => total + Math.abs(score), 0);
    expect(all.edges).toBe(scores.rows.length);
    expect(all.weight).toBe(Number(sum.toPrecision(6)));
    expect([payload.layers, payload.heads]).toEqual([model.layers, model.heads]);
    const isShared = model.kvHeads < model.heads;
    expect(nodes.kind.includes("keys")).toBe(isShared);
    edges.weight.forEach((weight, at) => {
      const [to, input] = [nodes.name[edges.to[at]].replace("kv", ""), edges.input[at]];
      const score = scores.at(nodes.name[edges.from[at]], input === "" ? to : `${to} ${input}`);
      expect(weight).toBe(Number(score.toPrecision(6)));
    });
    await model.dispose();
  });
});

describe("attributionGraph", () => {
  const rows = [{ from: "0.3", to: "logits", score: 0.4 }];

  it("takes rows of any method", async () => {
    const bundle = await attributionGraph(rows, { title: "Paths" }).bundle();
    const payload = readAttributionGraph(bundle[attributionGraphMime]);
    expect([payload.title, payload.edges.weight, payload.live]).toEqual(["Paths", [0.4], undefined]);
  });

  it.each<[string, () => unknown, RegExp]>([
    ["a misspelt option", () => attributionGraph(rows, { titel: "t" } as never), /did you mean "title"/],
    ["no edges", () => attributionGraph([]), /expected an edge that weighs something/],
  ])("refuses %s", (_, make, reason) => expect(make).toThrow(reason));
});

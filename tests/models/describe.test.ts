import { describe, expect, it } from "vitest";
import { load } from "../../kernel/lib/index.js";
import type { MimeBundle } from "../../kernel/lib/tensor/index.js";
import { modelDiagramMime, readModelDiagram } from "../../kernel/lib/views/index.js";
import { decoders, encoders, pairs, readOracle, seeing } from "./oracle.js";

describe.each([...encoders, ...decoders, ...pairs, ...seeing])("the description of %s", (name) => {
  it("names every address with its shape, in text and in the diagram", async () => {
    const model = await load((await readOracle(name)).folder);
    const description = model.diagram();
    const all = (layers: number): readonly number[] => Array.from({ length: layers }, (_, layer) => layer);
    const told = description.levels.flatMap(({ path, layers, activations }) =>
      activations.flatMap(({ address, only }) =>
        // A first layer may have what others lack.
        path === "" ? [address] : (only ?? all(layers)).map((layer) => address.replace("*", String(layer))),
      ),
    );
    expect([...told].sort()).toEqual([...model.addresses].sort());
    const shown = await (description as unknown as Record<symbol, () => Promise<MimeBundle>>)[
      Symbol.for("Jupyter.display")
    ]();
    const [text, html] = [shown["text/plain"], shown["text/html"]] as [string, string];
    expect(text).toBe(model.describe());
    const payload = readModelDiagram(shown[modelDiagramMime]);
    expect(payload.levels).toEqual(description.levels);
    expect(payload.provenance).toMatchObject({ architecture: model.architecture, device: "cpu", dtype: "float32" });
    expect(payload.provenance["modelHash"]).toMatch(/^[0-9a-f]{16}( [0-9a-f]{16})*$/);
    for (const { activations } of description.levels) {
      for (const { address, name: last, shape } of activations) {
        expect(text).toContain(last);
        expect(text).toContain(`[${shape.join()}]`);
        expect(html).toContain(`title="${address} [${shape.join()}]"`);
      }
    }
    // Every box that is opened is closed, and nothing runs.
    for (const tag of ["div", "section", "figure", "code", "small", "span"]) {
      expect(html.split(`<${tag}`).length, tag).toBe(html.split(`</${tag}>`).length);
    }
    expect(html).not.toContain("<script");
    await model.dispose();
  });
});

describe("a description", () => {
  it("is a tree", async () => {
    const model = await load((await readOracle("gpt2")).folder);
    expect(model.describe().replace(/ {2,}\[/g, "  [")).toBe(
      [
        "gpt2 (GPT2LMHeadModel)",
        "3 layers × 4 heads of 12, width 48, 40 positions, on cpu",
        "├─ embed, pos_embed  [batch,query,48]",
        "├─ blocks.0 … 2",
        "│  ├─ resid_pre, ln1.normalized, attn_out, resid_mid, ln2.normalized, mlp_out, resid_post  [batch,query,48]",
        "│  ├─ attn.{q, k, v, z}  [batch,4,query,12]",
        "│  ├─ attn.{scores, pattern}  [batch,4,query,query]",
        "│  ├─ attn.result  [batch,query,4,48]",
        "│  └─ mlp.{pre, post}  [batch,query,192]",
        "├─ ln_final, last_hidden_state  [batch,query,48]",
        "└─ logits  [batch,query,389]",
      ].join("\n"),
    );
    await model.dispose();
  });
});

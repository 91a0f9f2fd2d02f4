import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { adam, load, save, tasks, train } from "../../kernel/lib/index.js";
import { readOracle } from "../models/oracle.js";

const folder = mkdtempSync(join(tmpdir(), "attention-lab-loaded-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it.each(["gpt2", "gemma2"])("a loaded %s learns, and is saved as what it was", async (name) => {
  const model = await load((await readOracle(name)).folder);
  const task = tasks.copying({ vocabulary: 12, period: 4 });
  const before = (await model.run({ inputIds: [task.row(0).ids] })).logits;
  const { fit, model: trained } = await train(model, task, {
    ...{
      steps: 25,
      batchSize: 8,
      testRows: 0,
      optimiser: adam({ rate: 1e-2 }),
      groups: [{ of: (_, shape) => shape.length === 1, rate: 0 }],
    },
  });
  expect(fit.recent("loss", 3)).toBeLessThan(0.8 * fit.losses[0]);
  const after = (await trained.run({ inputIds: [task.row(0).ids] })).logits;
  expect(after.data).not.toEqual(before.data);
  // The model that was given stays as it was.
  expect((await model.run({ inputIds: [task.row(0).ids] })).logits.data).toEqual(before.data);
  await save(trained, join(folder, name));
  expect((await (await load(join(folder, name))).run({ inputIds: [task.row(0).ids] })).logits.data).toEqual(after.data);
});

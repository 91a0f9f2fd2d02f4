import { expect, it } from "vitest";
import { build, gradients, input } from "../../kernel/lib/graph/index.js";
import { OrtEngine } from "../../kernel/lib/host/session.js";
import { random, Tensor } from "../../kernel/lib/tensor/index.js";

it("slopes of a table whose rows are read again and again lose nothing, in any of many runs", async () => {
  const engine = new OrtEngine("cpu");
  const [rows, width, size, length] = [28, 64, 64, 64];
  const ids = random(1).integers([size, length], { high: rows });
  // Whole numbers are added without rounding, in any order: whatever several threads lose shows.
  const pushes = Float32Array.from({ length: size * length * width }, (_, i) => (i % 5) - 2);
  const expected = new Float32Array(rows * width);
  pushes.forEach((push, i) => {
    const read = Math.floor(i / width);
    expected[ids.item(Math.floor(read / length), read % length) * width + (i % width)] += push;
  });
  const table = input("table", "float32", [rows, width]);
  const push = input("push", "float32", [size, length, width]);
  const read = build.gather(table, input("ids", "int32", [size, length]), 0);
  const [slope] = gradients(build.reduceSum(build.mul(read, push)), [table]);
  const compiled = await engine.compile({ slope });
  for (let again = 0; again < 100; again++) {
    const found = await compiled.run({
      ids,
      push: new Tensor("float32", [size, length, width], pushes.slice()),
      table: new Tensor("float32", [rows, width], new Float32Array(rows * width)),
    });
    expect(found["slope"].data).toEqual(expected);
  }
  await compiled.dispose();
});

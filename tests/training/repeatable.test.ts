import { expect, it } from "vitest";
import { build, gradients, input } from "../../kernel/lib/graph/index.js";
import { OrtEngine } from "../../kernel/lib/host/session.js";
import { random, Tensor } from "../../kernel/lib/tensor/index.js";

// Few rows are summed by a product, many are added element by element.
it.each([28, 300])(
  "slopes of a table of %i rows that are read again and again lose nothing, in any of many runs",
  async (rows) => {
    const engine = new OrtEngine("cpu");
    const [width, size, length] = [64, 64, 64];
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
  },
);

it("rows added at positions that repeat lose nothing, on axes of words too; a position that is not there is an error", async () => {
  const engine = new OrtEngine("cpu");
  const [batch, width, count] = [3, 64, 4096];
  const places = random(2).integers([count, 2], { high: batch });
  const pushes = Float32Array.from({ length: count * width }, (_, i) => (i % 5) - 2);
  const expected = new Float32Array(batch * batch * width);
  pushes.forEach((push, i) => {
    const read = Math.floor(i / width);
    expected[(places.item(read, 0) * batch + places.item(read, 1)) * width + (i % width)] += push;
  });
  const x = input("x", "float32", ["batch", "token", width]);
  const sum = build.scatterND(x, input("at", "int32", [count, 2]), input("push", "float32", [count, width]), "add");
  const compiled = await engine.compile({ sum });
  const zeros = (): Tensor => new Tensor("float32", [batch, batch, width], new Float32Array(expected.length));
  const feeds = { push: new Tensor("float32", [count, width], pushes), at: places };
  for (let again = 0; again < 20; again++) {
    expect((await compiled.run({ ...feeds, x: zeros() }))["sum"].data).toEqual(expected);
  }
  // Counted from the end it is the same place.
  const fromEnd = new Tensor(
    "int32",
    [count, 2],
    (places.data as Int32Array).map((at) => at - batch),
  );
  expect((await compiled.run({ ...feeds, x: zeros(), at: fromEnd }))["sum"].data).toEqual(expected);
  const beyond = new Tensor(
    "int32",
    [count, 2],
    (places.data as Int32Array).map((at, i) => (i === 7 ? batch : at)),
  );
  await expect(compiled.run({ ...feeds, x: zeros(), at: beyond })).rejects.toThrow("ScatterElements");
  await compiled.dispose();
});

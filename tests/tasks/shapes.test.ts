import { expect, it } from "vitest";
import { tasks, visionTransformer } from "../../kernel/lib/index.js";

const task = tasks.shapes({ size: 24 });
type Rgb = readonly [red: number, green: number, blue: number];
const rows = Array.from({ length: 200 }, (_, i) => task.row(i));

it("a picture is a function of seed, split and index", () => {
  const again = tasks.shapes({ size: 24 }).row(7);
  expect(again).toEqual(rows[7]);
  expect(tasks.shapes({ size: 24, seed: 1 }).row(7).picture.data).not.toEqual(again.picture.data);
  expect(task.row(7, "test").picture.data).not.toEqual(again.picture.data);
});

it("the mask is where the picture is red, the others where it has another colour, the rest is grey", () => {
  for (const { picture, mask, others } of rows) {
    const isIn = (test: (red: number, green: number, blue: number) => boolean): Uint8Array =>
      mask.map((_, pixel) => Number(test(...(picture.data.subarray(3 * pixel, 3 * pixel + 3) as unknown as Rgb))));
    const red = isIn((r, g, b) => r > 2 * g && r > 2 * b);
    const grey = isIn((r, g, b) => r === g && g === b);
    expect(mask).toEqual(red);
    expect(others).toEqual(red.map((one, pixel) => Number(one + grey[pixel] === 0)));
  }
});

it("masks have the area of their shape, to pixels of the border", () => {
  // Of a shape of radius 1: a circle, a square of side 1.6, a triangle of base and height 1.7 · 1.7/1.7 …, a cross of two bars.
  const areas = [Math.PI, 1.6 ** 2, 1.7 ** 2 / 1.7, 4 * 2 * 0.33 - 0.66 ** 2];
  task.classes.forEach((_, label) => {
    const own = rows.filter((row) => row.label === label).map(({ mask }) => mask.reduce((a, b) => a + b, 0));
    expect(own.length).toBeGreaterThan(25);
    // Radii are even between 0.125 and 0.2 of the side: the mean of their squares.
    const squares = 24 ** 2 * ((0.2 ** 3 - 0.125 ** 3) / 3 / 0.075);
    const mean = own.reduce((a, b) => a + b) / own.length;
    expect(Math.abs(mean / (areas[label] * squares) - 1)).toBeLessThan(0.12);
  });
  const counts = rows.map(({ others }) => (others.some((one) => one === 1) ? 1 : 0) as number);
  expect(counts.reduce((a, b) => a + b) / rows.length).toBeGreaterThan(0.5);
  expect(
    tasks
      .shapes({ others: 0 })
      .row(0)
      .others.every((one) => one === 0),
  ).toBe(true);
});

it("pixel values are what the model's preprocessor makes of the picture, bit for bit", async () => {
  const model = await visionTransformer({ layers: 1, heads: 1, width: 8, image: 24, classes: task.classes });
  const pictures = rows.slice(0, 3).map(({ picture }) => picture);
  const { pixelValues, labels } = task.batch(0, 3);
  expect((await model.pixelValues(pictures)).data).toEqual(pixelValues.data);
  expect([...labels.data]).toEqual(rows.slice(0, 3).map(({ label }) => label));
});

it("shows its pictures in letters, and refuses what it does not know", () => {
  const [head, names, ...lines] = task.describe(2).split("\n");
  expect(head).toBe("shapes: 24 × 24 pixels, classes circle, square, triangle, cross, seed 0");
  expect(names.trim().split(/ +/)).toEqual(rows.slice(0, 2).map(({ label }) => task.classes[label]));
  expect(lines).toHaveLength(12);
  expect(lines.join("")).toContain("###");
  expect(() => tasks.shapes({ size: 8 })).toThrow("shapes: size must be a whole number of at least 16, got 8");
  expect(() => tasks.shapes({ sise: 32 } as object)).toThrow('did you mean "size"?');
});

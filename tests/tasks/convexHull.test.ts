import { expect, it } from "vitest";
import { tasks } from "../../kernel/lib/index.js";

it("convexHull: all points lie to the left of each side, and corners come in turn from the lowest index", () => {
  const task = tasks.convexHull({ points: 9, seed: 3 });
  const size = 40;
  const { points, order } = task.batch(2, size);
  expect([points.shape, order.shape]).toEqual([[size, 9, 2], [size, 10]]); // prettier-ignore
  const sizes = new Set<number>();
  for (let b = 0; b < size; b++) {
    const at = (i: number): [number, number] => [points.item(b, i, 0), points.item(b, i, 1)];
    const told = Array.from({ length: 10 }, (_, t) => order.item(b, t));
    const end = told.indexOf(0);
    const corners = told.slice(0, end).map((i) => i - 1);
    expect(told.slice(end + 1).every((x) => x === -1)).toBe(true);
    expect(corners[0]).toBe(Math.min(...corners));
    expect(new Set(corners).size).toBe(corners.length);
    sizes.add(corners.length);
    corners.forEach((i, side) => {
      const [a, c] = [at(i), at(corners[(side + 1) % corners.length])];
      for (let other = 0; other < 9; other++) {
        const p = at(other);
        const area = (c[0] - a[0]) * (p[1] - a[1]) - (c[1] - a[1]) * (p[0] - a[0]);
        if (corners.includes(other)) expect(area).toBeGreaterThanOrEqual(0);
        else expect(area).toBeGreaterThan(0);
      }
    });
  }
  expect(sizes.size).toBeGreaterThan(2);
  expect(task.batch(2, size).points.data).toEqual(points.data);
  expect(task.batch(3, size).points.data).not.toEqual(points.data);
});

it("convexHull: a square with a point inside, a triangle, points in a line", () => {
  const square = [[1, 1], [0.5, 0.5], [0, 0], [0, 1], [1, 0]] as const; // prettier-ignore
  expect(tasks.hullOf(square)).toEqual([0, 3, 2, 4]);
  expect(tasks.hullOf([[0, 0], [0, 1], [1, 0]])).toEqual([0, 2, 1]); // prettier-ignore
  expect(tasks.hullOf([[0, 0], [1, 1], [2, 2]])).toEqual([0, 2]); // prettier-ignore
  expect(tasks.hullOf([[1, 0]])).toEqual([0]);
});

it("convexHull shows its points, corners by their turn", () => {
  const lines = tasks.convexHull({ points: 5 }).describe(1).split("\n");
  expect(lines[0]).toMatch(/^convexHull: 5 points in the unit square, seed 0/);
  expect(lines).toHaveLength(1 + 8 + 2);
  const corners = lines.at(-1)!.trim().replace("corners ", "").split(" → ");
  const drawn = lines.slice(1, 9).join("");
  corners.forEach((_, turn) => expect(drawn).toContain(String(turn + 1)));
  expect(() => tasks.convexHull({ points: 2 })).toThrow("points must be at least 3, got 2");
});

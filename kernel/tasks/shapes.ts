import { checkOptions, wholeNumber } from "../tensor/index.js";
import type { Draws } from "./parts/draws.js";
import type { PictureRow } from "./parts/pictureTask.js";
import { PictureTask } from "./parts/pictureTask.js";

export interface ShapesOptions {
  /** Height and width in pixels; default 32. */
  readonly size?: number;
  /** Shapes beside the one that is asked about, at most; default 2. */
  readonly others?: number;
  /** Default 0. */
  readonly seed?: number;
}

/** Whether a place lies in a shape of radius 1 around 0; y grows downwards. */
const kinds: Readonly<Record<string, (x: number, y: number) => boolean>> = {
  circle: (x, y) => x * x + y * y <= 1,
  square: (x, y) => Math.max(Math.abs(x), Math.abs(y)) <= 0.8,
  triangle: (x, y) => y <= 0.7 && Math.abs(x) <= (y + 1) / 1.7,
  cross: (x, y) => Math.min(Math.abs(x), Math.abs(y)) <= 0.33 && Math.max(Math.abs(x), Math.abs(y)) <= 1,
};
const classes = Object.keys(kinds);

type Colour = readonly [red: number, green: number, blue: number];
const red: Colour = [220, 40, 40];
const otherColours: readonly Colour[] = [
  [40, 190, 60],
  [50, 80, 230],
  [220, 200, 40],
];

interface Placed {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
}

/** A place that touches none of these; undefined where a few tries found none. */
function placeAmong(draws: Draws, size: number, held: readonly Placed[]): Placed | undefined {
  for (let tries = 0; tries < 12; tries++) {
    const radius = size * (0.125 + 0.075 * draws.unit());
    const [x, y] = [0, 1].map(() => radius + (size - 2 * radius) * draws.unit());
    if (held.every((other) => Math.hypot(x - other.x, y - other.y) > 1.2 * (radius + other.radius)))
      return { x, y, radius };
  }
  return undefined;
}

function draw(draws: Draws, size: number, most: number): PictureRow {
  const data = new Uint8Array(3 * size * size);
  // Four pixels of noise from each number, 64 steps of grey.
  for (let pixel = 0, bits = 0; pixel < size * size; pixel++, bits = Math.floor(bits / 64)) {
    if (pixel % 4 === 0) bits = draws.below(64 ** 4);
    data.fill(60 + (bits % 64), 3 * pixel, 3 * pixel + 3);
  }
  const paint = (kind: number, { x, y, radius }: Placed, colour: Colour): Uint8Array => {
    const painted = new Uint8Array(size * size);
    const shade = 0.8 + 0.2 * draws.unit();
    for (let pixel = 0; pixel < size * size; pixel++) {
      const [dx, dy] = [(pixel % size) + 0.5 - x, Math.floor(pixel / size) + 0.5 - y];
      if (!kinds[classes[kind]](dx / radius, dy / radius)) continue;
      painted[pixel] = 1;
      for (let channel = 0; channel < 3; channel++) data[3 * pixel + channel] = Math.round(shade * colour[channel]);
    }
    return painted;
  };
  const label = draws.below(classes.length);
  const held = [placeAmong(draws, size, [])!];
  const mask = paint(label, held[0], red);
  const others = new Uint8Array(size * size);
  const count = draws.below(most + 1);
  for (let i = 0; i < count; i++) {
    const place = placeAmong(draws, size, held);
    if (!place) break;
    held.push(place);
    const colour = otherColours[draws.below(otherColours.length)];
    paint(draws.below(classes.length), place, colour).forEach((one, pixel) => (others[pixel] |= one));
  }
  return { picture: { width: size, height: size, data }, label, mask, others };
}

/**
 * Pictures of one red shape, among none, one or two of other colours, on grey noise: which shape is the red one? The
 * class says nothing of place, size, or what else there is, so that whoever tells it has looked at the red shape.
 *
 *   picture  a red cross and a green circle
 *   label    cross, of circle, square, triangle, cross
 *   mask     1 where the cross is
 *
 * Differs  of this project: no paper's task; shapes never overlap
 */
export function shapes(options: ShapesOptions = {}): PictureTask {
  checkOptions("shapes", options, ["size", "others", "seed"]);
  const size = wholeNumber("shapes", "size", options.size ?? 32, 16);
  const most = wholeNumber("shapes", "others", options.others ?? 2, 0);
  return new PictureTask({
    ...{ name: "shapes", classes, size },
    seed: wholeNumber("shapes", "seed", options.seed ?? 0, 0),
    row: (draws) => draw(draws, size, most),
  });
}

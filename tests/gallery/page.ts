import type { PayloadMime } from "attention-lab/views";
import { sendAction, type FigureAction } from "../../extension/src/actions.js";
import { viewOf } from "../../extension/src/views/index.js";
import type { View } from "../../extension/src/views/view.js";
import { sourceWords } from "../../extension/src/words.js";
import { example, exampleNames } from "./examples.js";

/** What the page offers to the scripts that drive it; every time is in milliseconds. */
export interface GalleryPage {
  readonly names: readonly string[];
  /** Draws an example into the page: from payload to pixels. */
  readonly draw: (name: string) => Promise<number>;
  /** The same with a payload that is handed in, as it is saved. */
  readonly drawPayload: (mime: PayloadMime, payload: unknown) => Promise<number>;
  /** Draws an example, or nothing for "", in a frame each, as a cell that is run again does; `plant` bytes are kept of every time. */
  readonly redraw: (name: string, times: number, plant?: number) => Promise<void>;
  /** Takes the figure away. */
  readonly clear: () => void;
  /** Moves the pointer over the largest picture of the figure, whatever it is. */
  readonly hoverLargest: (moves: number) => Promise<readonly number[]>;
  /** Moves the pointer over the grid: from each event to the layout of the frame that answers it. */
  readonly hover: (moves: number) => Promise<readonly number[]>;
  /** The same over the focused head. */
  readonly hoverFocused: (moves: number) => Promise<readonly number[]>;
  /** Sends an action: the work of the frame that answers it, pixels included. */
  readonly act: (action: FigureAction, times: number) => Promise<readonly number[]>;
  /** Opens one head after the other. */
  readonly open: (times: number) => Promise<readonly number[]>;
}

let view: View | undefined;

/** Reads a pixel of every canvas and the layout: nothing is left to do for this frame. */
const settle = (): void => {
  for (const canvas of document.querySelectorAll("canvas")) canvas.getContext("2d")?.getImageData(0, 0, 1, 1);
  document.body.getBoundingClientRect();
};

/** The time that `cause` and the frame it asks for take, without the wait between them. */
const timed = (cause: () => void): Promise<number> =>
  new Promise((resolve) => {
    requestAnimationFrame(() => {
      let begun = 0;
      // Callbacks of a frame run in the order of their requests: this one, the figure's own, the last one.
      requestAnimationFrame(() => (begun = performance.now()));
      const start = performance.now();
      cause();
      const caused = performance.now() - start;
      requestAnimationFrame(() => {
        settle();
        resolve(caused + performance.now() - begun);
      });
    });
  });

const moves = async (selector: string, count: number): Promise<readonly number[]> => {
  const area = ({ clientWidth, clientHeight }: Element): number => clientWidth * clientHeight;
  const target = [...document.querySelectorAll(selector)].sort((a, b) => area(b) - area(a))[0];
  if (!target) throw new Error(`gallery: nothing matches ${selector}`);
  const { left, top, width, height } = target.getBoundingClientRect();
  const times: number[] = [];
  for (let move = 0; move < count; move++) {
    const clientX = left + ((move * 37.3) % width);
    const clientY = top + ((move * 19.7) % height);
    times.push(
      await timed(() => target.dispatchEvent(new PointerEvent("pointermove", { clientX, clientY, bubbles: true }))),
    );
  }
  return times;
};

const figure = (): HTMLElement => {
  if (!view) throw new Error("gallery: nothing is drawn yet");
  return view.node;
};

/** What a planted leak holds. */
const planted: unknown[] = [];

const show = (mime: PayloadMime, payload: unknown): void => {
  gallery.clear();
  view = viewOf(mime, payload, { words: sourceWords });
  document.getElementById("host")?.append(view.node);
  view.draw();
  settle();
};

const gallery: GalleryPage = {
  names: exampleNames,
  async draw(name) {
    const { mime, payload } = example(name);
    return gallery.drawPayload(mime, payload);
  },
  async drawPayload(mime, payload) {
    gallery.clear();
    // The garbage of making the payload is not the figure's.
    await new Promise((resolve) => setTimeout(resolve, 300));
    const start = performance.now();
    show(mime, payload);
    return performance.now() - start;
  },
  async redraw(name, times, plant = 0) {
    const drawn = name && example(name);
    for (let time = 0; time < times; time++) {
      if (drawn) show(drawn.mime, drawn.payload);
      if (plant > 0) planted.push(Array.from({ length: plant / 8 }, (_, at) => at + 0.5));
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
  },
  clear() {
    view?.dispose();
    view = undefined;
  },
  hoverLargest: (count) => moves("#host canvas, #host svg, #host img, #host table", count),
  hover: (count) => moves(".jp-AttentionGrid-stage", count),
  hoverFocused: (count) => moves(".jp-AttentionFocus-matrix", count),
  async act(action, times) {
    const results: number[] = [];
    for (let time = 0; time < times; time++) results.push(await timed(() => sendAction(figure(), action)));
    return results;
  },
  async open(times) {
    const cells = figure().querySelectorAll<HTMLElement>("[role=gridcell]");
    const results: number[] = [];
    for (let time = 0; time < times; time++) results.push(await timed(() => cells[time * 7]?.click()));
    return results;
  },
};

Object.assign(window, { gallery });

import { drawScatter, inks, scatterLayout, type ScatterLayout, type ScatterLook } from "attention-lab/figure";
import type { ScatterPayload } from "attention-lab/views";
import { handled, ownKeys } from "../../a11y/shortcuts.js";
import { element } from "../../dom/element.js";
import { pictureNode } from "../../dom/picture.js";
import { pointAfter, pointNear, pointsIn, type Brush } from "./keys.js";

/** What a reader does to the points; `keyed` is true where a key did it. */
export interface ScatterEvents {
  readonly onPoint: (point: number | undefined, keyed: boolean) => void;
  readonly onChoose: (point: number) => void;
  readonly onToggle: (point: number) => void;
  /** A rectangle is drawn; `adds` keeps what was marked before, `isDone` ends it. */
  readonly onBrush: (brush: Brush, inside: ReadonlySet<number>, adds: boolean, isDone: boolean) => void;
  readonly onClear: () => void;
}

/** Points on the screen: pointed at, chosen, and marked by rectangles, by pointer and by keys. */
export interface ScatterPlot {
  readonly node: HTMLElement;
  /** Returns how many points have no place. */
  readonly draw: (payload: ScatterPayload, look: Omit<ScatterLook, "ink" | "words">) => number;
  readonly mark: (marks: {
    readonly pointed: number | undefined;
    readonly chosen: number | undefined;
    readonly marked: ReadonlySet<number>;
    readonly brush: Brush | undefined;
  }) => void;
}

const leastDrag = 4;

/** An empty plot. */
export function createScatterPlot(label: string, events: ScatterEvents): ScatterPlot {
  const rectangle = element("div", { class: "jp-AttentionScatter-brush", "aria-hidden": "true" });
  const cursor = element("div", { class: "jp-AttentionScatter-cursor", "aria-hidden": "true" });
  const ring = element("div", { class: "jp-AttentionScatter-cursor jp-mod-chosen", "aria-hidden": "true" });
  const node = ownKeys(
    element("div", { class: "jp-AttentionScatter-plot", tabindex: 0, role: "application", "aria-label": label }),
  );
  let drawn:
    | { readonly key: string; readonly layout: ScatterLayout; readonly circles: ReadonlyMap<number, Element> }
    | undefined;
  let here: number | undefined;
  let drag: { readonly from: readonly [number, number]; moved: boolean } | undefined;
  /** Where a rectangle that keys draw begins. */
  let anchor: number | undefined;

  const at = (event: MouseEvent): readonly [number, number] => {
    const box = node.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const point = (next: number | undefined, keyed: boolean): void => {
    if (next === here && !keyed) return;
    here = next;
    events.onPoint(next, keyed);
  };
  const drawBrush = (event: PointerEvent, isDone: boolean): void => {
    if (!drag || !drawn) return;
    const brush = { from: drag.from, to: at(event) };
    drag.moved ||= Math.hypot(brush.to[0] - brush.from[0], brush.to[1] - brush.from[1]) > leastDrag;
    if (drag.moved) {
      events.onBrush(brush, pointsIn(brush, drawn.layout.places), event.shiftKey || event.ctrlKey, isDone);
    }
  };
  node.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    drag = { from: at(event), moved: false };
    node.setPointerCapture?.(event.pointerId);
  });
  node.addEventListener("pointermove", (event) => {
    if (drag) drawBrush(event, false);
    if (!drag?.moved && drawn) point(pointNear(...at(event), drawn.layout.places), false);
  });
  node.addEventListener("pointerup", (event) => {
    if (!drag || !drawn) return;
    drawBrush(event, true);
    const { moved } = drag;
    drag = undefined;
    if (moved) return;
    const found = pointNear(...at(event), drawn.layout.places);
    if (found === undefined) return events.onClear();
    if (event.shiftKey || event.ctrlKey || event.metaKey) events.onToggle(found);
    else events.onChoose(found);
  });
  node.addEventListener("pointercancel", () => (drag = undefined));
  node.addEventListener("pointerleave", () => {
    if (!drag) point(undefined, false);
  });
  node.addEventListener("keydown", (event) => {
    if (!drawn || event.ctrlKey || event.metaKey || event.altKey) return;
    const { places } = drawn.layout;
    if (event.key === "Escape") {
      handled(event);
      anchor = undefined;
      return events.onClear();
    }
    if ((event.key === "Enter" || event.key === " ") && here !== undefined) {
      handled(event);
      return event.key === "Enter" ? events.onChoose(here) : events.onToggle(here);
    }
    const next = pointAfter(event.key, places, here);
    if (next === undefined) return;
    handled(event);
    anchor = event.shiftKey ? (anchor ?? here ?? next) : undefined;
    point(next, true);
    const [from, to] = [anchor === undefined ? undefined : places[anchor], places[next]];
    if (from && to) events.onBrush({ from, to }, pointsIn({ from, to }, places), false, false);
  });
  node.addEventListener("keyup", ({ key }) => {
    const [from, to] = [anchor, here].map((each) => (each === undefined ? undefined : drawn?.layout.places[each]));
    if (key !== "Shift" || !drawn || !from || !to) return;
    anchor = undefined;
    events.onBrush({ from, to }, pointsIn({ from, to }, drawn.layout.places), false, true);
  });

  return {
    node,
    draw(payload, look): number {
      const key = JSON.stringify(look);
      const missing = (): number => payload.points.labels.length - (drawn?.circles.size ?? 0);
      if (drawn?.key === key) return missing();
      const whole = { ...look, ink: inks.page, words: false };
      const picture = pictureNode(drawScatter(payload, whole));
      const layout = scatterLayout(payload, whole);
      const nodes = [...picture.querySelectorAll("circle")];
      const shown = layout.places.flatMap((place, index) => (place ? [index] : []));
      const circles = new Map(shown.flatMap((index, i) => (nodes[i] ? [[index, nodes[i]] as const] : [])));
      drawn = { key, layout, circles };
      node.replaceChildren(picture, rectangle, ring, cursor);
      return missing();
    },
    mark({ pointed, chosen, marked, brush }): void {
      if (!drawn) return;
      const { circles, layout } = drawn;
      node.classList.toggle("jp-mod-marking", marked.size > 0);
      for (const [index, circle] of circles) circle.classList.toggle("jp-mod-marked", marked.has(index));
      for (const [mark, index] of [
        [cursor, pointed],
        [ring, chosen],
      ] as const) {
        // prettier-ignore
        const place = index === undefined ? undefined : layout.places[index];
        mark.hidden = !place;
        if (place) mark.style.transform = `translate(${place[0]}px, ${place[1]}px)`;
      }
      rectangle.hidden = !brush;
      if (!brush) return;
      const { from, to } = brush;
      rectangle.style.transform = `translate(${Math.min(from[0], to[0])}px, ${Math.min(from[1], to[1])}px)`;
      rectangle.style.width = `${Math.abs(from[0] - to[0])}px`;
      rectangle.style.height = `${Math.abs(from[1] - to[1])}px`;
    },
  };
}

import { handled, ownKeys } from "../../a11y/shortcuts.js";
import { element } from "../../dom/element.js";
import type { Words } from "../../words.js";
import { panned, zoomed, type Viewport } from "./viewport.js";

const step = 1.5;
/** Pixels by which a pointer moves before it drags. */
const slack = 4;

/** Ways to zoom and pan a matrix: buttons, wheel, drag, double-click and keys. */
export interface ZoomControls {
  readonly node: HTMLElement;
  /** Tells whether all is shown. */
  readonly show: (isWhole: boolean) => void;
  readonly isDragging: () => boolean;
  /** Whether the click that is handled now ends a drag. */
  readonly wasDragged: () => boolean;
  readonly dispose: () => void;
}

/** The controls of a matrix. With the wheel Ctrl or a zoomed view is needed: a page must scroll on over a figure. */
export function zoomControls(
  matrix: HTMLElement,
  views: {
    readonly now: () => { readonly view: Viewport; readonly all: Viewport };
    readonly show: (view: Viewport) => void;
  },
  words: Words,
): ZoomControls {
  const by = (factor: number, place?: { readonly down: number; readonly across: number }): void => {
    const { view, all } = views.now();
    views.show(zoomed(view, all, factor, place));
  };
  const reset = (): void => views.show(views.now().all);
  const button = (name: string, title: string, act: () => void): HTMLButtonElement => {
    const made = ownKeys(element("button", { class: "jp-AttentionButton", type: "button", title, "aria-label": title }, name)); // prettier-ignore
    made.addEventListener("click", act);
    return made;
  };
  const nearer = button("+", words.__("Zoom in (+)"), () => by(step));
  const farther = button("−", words.__("Zoom out (−)"), () => by(1 / step));
  const all = button("0", words.__("Show all (0, or double-click)"), reset);
  const node = element("div", { class: "jp-AttentionFocus-zoom", role: "group", "aria-label": words.__("Zoom") }, nearer, farther, all); // prettier-ignore

  let isWholeShown = true;
  let drag: { readonly x: number; readonly y: number; readonly view: Viewport; readonly isMoved: boolean } | undefined;
  let dragged = false;

  const placeOf = (event: MouseEvent): { down: number; across: number } => {
    const { left, top, width, height } = matrix.getBoundingClientRect();
    return { down: (event.clientY - top) / (height || 1), across: (event.clientX - left) / (width || 1) };
  };
  const wheel = (event: WheelEvent): void => {
    if (!event.ctrlKey && !event.metaKey && isWholeShown) return;
    handled(event);
    by(event.deltaY < 0 ? step : 1 / step, placeOf(event));
  };
  matrix.addEventListener("wheel", wheel, { passive: false });
  matrix.addEventListener("dblclick", (event) => {
    handled(event);
    reset();
  });
  matrix.addEventListener("pointerdown", (event) => {
    dragged = false;
    if (event.button === 0 && !isWholeShown) {
      drag = { x: event.clientX, y: event.clientY, view: views.now().view, isMoved: false };
    }
  });
  const move = (event: PointerEvent): void => {
    if (!drag) return;
    const { width, height } = matrix.getBoundingClientRect();
    const [x, y] = [event.clientX - drag.x, event.clientY - drag.y];
    if (!drag.isMoved && Math.hypot(x, y) < slack) return;
    drag = { ...drag, isMoved: true };
    dragged = true;
    const { view } = drag;
    views.show(panned(view, views.now().all, (-y / (height || 1)) * view.queries, (-x / (width || 1)) * view.keys));
  };
  const end = (): void => void (drag = undefined);
  // A drag goes on outside the matrix, and ends wherever the button is let go.
  window.addEventListener("pointermove", move);
  window.addEventListener("pointerup", end);
  window.addEventListener("pointercancel", end);
  matrix.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "+" || event.key === "=") by(step);
    else if (event.key === "-") by(1 / step);
    else if (event.key === "0") reset();
    else return;
    handled(event);
  });

  return {
    node,
    show(isWhole): void {
      isWholeShown = isWhole;
      farther.disabled = all.disabled = isWhole;
      matrix.classList.toggle("jp-mod-zoomed", !isWhole);
    },
    isDragging: () => drag?.isMoved ?? false,
    wasDragged: () => dragged,
    dispose(): void {
      window.removeEventListener("pointermove", move);
      window.removeEventListener("pointerup", end);
      window.removeEventListener("pointercancel", end);
    },
  };
}

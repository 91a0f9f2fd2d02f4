import type { HeadAblation } from "attention-lab/views";

/** Everything a command, a menu or a button can ask of a figure. */
export const figureActions = [
  "copy-png",
  "copy-svg",
  "save-png",
  "save-svg",
  "save-pdf",
  "save-csv",
  "save-json",
  "save-npz",
  "next-palette",
  "toggle-scale",
  "toggle-table",
  "all-heads",
] as const;

/** One of `figureActions`. */
export type FigureAction = (typeof figureActions)[number];

/** What a command with arguments asks of a figure; the head that was used last where none is named. */
export interface FigureRequest {
  readonly kind: "show-head" | "ablate";
  readonly layer?: number;
  readonly head?: number;
  readonly mode?: HeadAblation;
}

const requestName = "jp-attention-request";
const eventName = "jp-attention-action";

/** Class of every figure of this extension. */
export const figureClass = "jp-AttentionFigure";

/** Asks a figure to act; the event does not leave the figure's node. */
export function sendAction(figure: Element, action: FigureAction): void {
  figure.dispatchEvent(new CustomEvent<FigureAction>(eventName, { detail: action }));
}

/** Runs `act` on every action sent to a figure's node. */
export function onAction(figure: HTMLElement, act: (action: FigureAction) => void): void {
  figure.addEventListener(eventName, (event) => act((event as CustomEvent<FigureAction>).detail));
}

/** Asks a figure for something with arguments. */
export function sendRequest(figure: Element, request: FigureRequest): void {
  figure.dispatchEvent(new CustomEvent<FigureRequest>(requestName, { detail: request }));
}

/** Runs `act` on every request sent to a figure's node. */
export function onRequest(figure: HTMLElement, act: (request: FigureRequest) => void): void {
  figure.addEventListener(requestName, (event) => act((event as CustomEvent<FigureRequest>).detail));
}

/** Everything a command, a menu or a button can ask of a figure. */
export const figureActions = [
  "copy-png",
  "copy-svg",
  "save-png",
  "save-svg",
  "next-palette",
  "toggle-scale",
  "toggle-table",
  "all-heads",
] as const;

/** One of `figureActions`. */
export type FigureAction = (typeof figureActions)[number];

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

const mark = "data-lm-suppress-shortcuts";

/**
 * Keeps the notebook from acting on keys pressed in a control: `D D` there must not delete the user's cell.
 *
 * JupyterLab looks for the attribute on the element that has the focus, not on its ancestors.
 */
export function ownKeys<Control extends HTMLElement>(control: Control): Control {
  control.setAttribute(mark, "true");
  return control;
}

/**
 * Lets Ctrl or Command with a letter through to JupyterLab while the focus is inside `root`: without it, Ctrl S on a
 * figure would open the browser's dialog instead of saving the notebook. Returns a function that ends it.
 */
export function passAccelerators(root: HTMLElement): () => void {
  const lift = (event: KeyboardEvent): void => {
    const { target } = event;
    if (!(event.ctrlKey || event.metaKey) || event.key.length !== 1) return;
    if (!(target instanceof HTMLElement) || !root.contains(target) || !target.hasAttribute(mark)) return;
    target.removeAttribute(mark);
    // After every listener of this event has run.
    setTimeout(() => ownKeys(target), 0);
  };
  // JupyterLab listens in the capture phase on the document; only the window comes before it.
  window.addEventListener("keydown", lift, true);
  return () => window.removeEventListener("keydown", lift, true);
}

/** Marks a key as handled, here and in the notebook around. */
export function handled(event: Event): void {
  event.preventDefault();
  event.stopPropagation();
}

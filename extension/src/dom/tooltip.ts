import { element } from "./element.js";

const delayMs = 120;

/** A note beside the pointer. It hangs on the document body: a cell's `contain: paint` would clip it. */
export interface Tooltip {
  readonly show: (content: readonly Node[], x: number, y: number) => void;
  readonly hide: () => void;
  readonly dispose: () => void;
}

/** A hidden tooltip. */
export function createTooltip(): Tooltip {
  const node = element("div", { class: "jp-AttentionTooltip", "aria-hidden": "true" });
  let timer: ReturnType<typeof setTimeout> | undefined;
  let place = { x: 0, y: 0 };
  const put = (): void => {
    if (!node.isConnected) document.body.append(node);
    const { offsetWidth: width, offsetHeight: height } = node;
    const left = place.x + 14 + width > window.innerWidth ? place.x - 10 - width : place.x + 14;
    const top = place.y + 16 + height > window.innerHeight ? place.y - 10 - height : place.y + 16;
    node.style.transform = `translate(${Math.max(0, left)}px, ${Math.max(0, top)}px)`;
    node.classList.add("jp-mod-shown");
  };
  const hide = (): void => {
    clearTimeout(timer);
    timer = undefined;
    node.remove();
    node.classList.remove("jp-mod-shown");
  };
  return {
    show(content, x, y): void {
      node.replaceChildren(...content);
      place = { x, y };
      if (node.isConnected) put();
      else timer ??= setTimeout(put, delayMs);
    },
    hide,
    dispose: hide,
  };
}

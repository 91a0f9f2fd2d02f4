import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
import { Widget } from "@lumino/widgets";
import { ownKeys } from "./a11y/shortcuts.js";
import type { View } from "./views/view.js";
import { sourceWords, type Words } from "./words.js";

/**
 * Shows one payload in an output. It needs no kernel and no trust: everything it draws is in the payload, checked
 * before it is drawn, and no text of it is ever parsed as markup.
 */
export class AttentionRenderer extends Widget implements IRenderMime.IRenderer {
  readonly #mime: string;
  readonly #words: Words;
  #view: View | undefined;

  constructor(options: IRenderMime.IRendererOptions) {
    super();
    this.#mime = options.mimeType;
    this.#words = options.translator?.load("attention_lab") ?? sourceWords;
    this.addClass("jp-AttentionRenderer");
  }

  /** Draws the payload, or the reason why it cannot be drawn. Never rejects. */
  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const value: unknown = model.data[this.#mime];
    try {
      const { viewOf, isKnown } = await import("./views/index.js");
      if (this.isDisposed) return;
      if (!isKnown(this.#mime)) throw new Error(this.#words.__("No view for %1", this.#mime));
      const view = viewOf(this.#mime, value, { words: this.#words });
      this.#view?.dispose();
      this.#view = view;
      this.node.replaceChildren(view.node);
      view.draw();
    } catch (error) {
      if (!this.isDisposed) this.#showReason(error);
    }
  }

  override dispose(): void {
    this.#view?.dispose();
    this.#view = undefined;
    super.dispose();
  }

  protected override onAfterAttach(): void {
    this.#view?.draw();
  }

  protected override onAfterShow(): void {
    this.#view?.draw();
  }

  protected override onResize(): void {
    this.#view?.draw();
  }

  #showReason(error: unknown): void {
    this.#view?.dispose();
    this.#view = undefined;
    const details = document.createElement("details");
    details.className = "jp-AttentionReason";
    details.open = true;
    const summary = ownKeys(document.createElement("summary"));
    summary.textContent = this.#words.__("This attention view cannot be shown");
    const reason = document.createElement("p");
    reason.textContent = error instanceof Error ? error.message : String(error);
    details.append(summary, reason);
    this.node.replaceChildren(details);
  }
}

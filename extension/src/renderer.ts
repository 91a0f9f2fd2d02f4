import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
import { Widget } from "@lumino/widgets";
import { ownKeys } from "./a11y/shortcuts.js";
import type { Surroundings } from "./surroundings.js";
import type { View } from "./views/view.js";
import { sourceWords, type Words } from "./words.js";

const renderers = new WeakMap<Element, AttentionRenderer>();
/** What shows an output, here and elsewhere: a result that one of them saves is drawn by all. */
const shownBy = new WeakMap<IRenderMime.IMimeModel, Set<AttentionRenderer>>();

/** The renderer that a node is part of. */
export function rendererAt(node: Element): AttentionRenderer | undefined {
  const found = node.closest(".jp-AttentionRenderer");
  return found ? renderers.get(found) : undefined;
}

/**
 * Shows one payload in an output. It needs no kernel and no trust: everything it draws is in the payload, checked
 * before it is drawn, and no text of it is ever parsed as markup.
 */
export class AttentionRenderer extends Widget implements IRenderMime.IRenderer {
  readonly #options: IRenderMime.IRendererOptions;
  readonly #mime: string;
  readonly #words: Words;
  readonly #surroundings: Surroundings | undefined;
  #view: View | undefined;
  #model: IRenderMime.IMimeModel | undefined;
  #trusted = false;
  /** Shows whatever is chosen in another figure of the run. */
  readonly #follows: boolean;

  constructor(options: IRenderMime.IRendererOptions, surroundings?: Surroundings, follows: boolean = false) {
    super();
    this.#options = options;
    this.#follows = follows;
    renderers.set(this.node, this);
    this.#surroundings = surroundings;
    this.#mime = options.mimeType;
    this.#words = options.translator?.load("attention_lab") ?? sourceWords;
    this.addClass("jp-AttentionRenderer");
  }

  /** Draws the payload, or the reason why it cannot be drawn. Never rejects. */
  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const value: unknown = model.data[this.#mime];
    this.#watch(model);
    try {
      const { viewOf, updateView, isKnown, bundleWith } = await import("./views/index.js");
      if (this.isDisposed) return;
      const mime = this.#mime;
      if (!isKnown(mime)) throw new Error(this.#words.__("No view for %1", mime));
      if (this.#view && this.#trusted === model.trusted && updateView(this.#view, mime, value)) return;
      this.#trusted = model.trusted;
      const save = (payload: unknown): void => {
        const current = this.#model ?? model;
        current.setData({ data: bundleWith(current.data, mime, payload) as typeof model.data });
        for (const other of [...(shownBy.get(current) ?? [])]) if (other !== this) void other.renderModel(current);
      };
      const { live, selections } = this.#surroundings ?? {};
      const view = viewOf(mime, value, {
        words: this.#words,
        selections,
        follows: this.#follows,
        ...(model.trusted ? { live, save } : { saved: "untrusted" }),
      });
      this.#view?.dispose();
      this.#view = view;
      this.node.replaceChildren(view.node);
      view.draw();
    } catch (error) {
      if (!this.isDisposed) this.#showReason(error);
    }
  }

  /** The same figure once more, for another place; undefined before it was drawn. With `follows` it shows what is chosen here. */
  copy(follows: boolean): AttentionRenderer | undefined {
    if (!this.#model) return undefined;
    const copy = new AttentionRenderer(this.#options, this.#surroundings, follows);
    void copy.renderModel(this.#model);
    return copy;
  }

  #watch(model: IRenderMime.IMimeModel): void {
    if (this.#model === model) return;
    if (this.#model) shownBy.get(this.#model)?.delete(this);
    this.#model = model;
    const shown = shownBy.get(model) ?? new Set<AttentionRenderer>();
    shownBy.set(model, shown.add(this));
  }

  override dispose(): void {
    if (this.#model) shownBy.get(this.#model)?.delete(this);
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

import { StateEffect, StateField, type Extension, type Text } from "@codemirror/state";
import { Decoration, EditorView, hoverTooltip, tooltips, ViewPlugin, type DecorationSet } from "@codemirror/view";
import type { Finding } from "../link/typeLink.js";

/** An editor whose type errors are underlined. */
export interface CheckedEditor {
  /** Whether somebody has typed in it. */
  readonly isWritten: boolean;
  /** Asks for its type errors again, soon. */
  refresh(): void;
}

export interface UnderlineSource {
  check(code: string): Promise<readonly Finding[]>;
  /** Somebody types. */
  written(): void;
  opened(editor: CheckedEditor): void;
  closed(editor: CheckedEditor): void;
}

/** Typing has paused for so long when the text is checked. */
const delayMs = 400;
const handled = ["input", "delete", "move", "undo", "redo"];

const found = StateEffect.define<readonly { readonly from: number; readonly to: number; readonly text: string }[]>();
const marks = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(before, { changes, effects }) {
    let now = before.map(changes);
    for (const effect of effects) {
      if (!effect.is(found)) continue;
      const ranges = effect.value.map(({ from, to, text }) =>
        Decoration.mark({ class: "jp-AttentionTypeError", attributes: { "aria-description": text }, text }).range(
          from,
          to,
        ),
      );
      now = Decoration.set(ranges, true);
    }
    return now;
  },
  provide: (field) => EditorView.decorations.from(field),
});

/** Says what is wrong under the pointer. It hangs on the page: a cell clips what leaves it. */
const explanation = hoverTooltip((view, position) => {
  const texts: string[] = [];
  let [from, to] = [position, position];
  view.state.field(marks).between(position, position, (start, end, { spec }) => {
    texts.push(String((spec as { readonly text?: unknown }).text));
    [from, to] = [Math.min(from, start), Math.max(to, end)];
  });
  if (texts.length === 0) return null;
  const dom = document.createElement("div");
  dom.className = "jp-AttentionTypeError-text";
  dom.textContent = texts.join("\n");
  return { pos: from, end: to, above: true, create: () => ({ dom }) };
});

/** Underlines the type errors of an editor, from the first change that somebody types. */
export function underlines(source: UnderlineSource): Extension {
  const checker = ViewPlugin.define((view) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isWritten = false;
    let isClosed = false;
    const check = async (): Promise<void> => {
      const { doc } = view.state;
      const findings = await source.check(doc.toString());
      if (isClosed || !view.state.doc.eq(doc)) return;
      view.dispatch({ effects: found.of(findings.map((finding) => placed(doc, finding))) });
    };
    const editor: CheckedEditor = {
      get isWritten() {
        return isWritten;
      },
      refresh() {
        clearTimeout(timer);
        timer = setTimeout(() => void check().catch(() => undefined), delayMs);
      },
    };
    source.opened(editor);
    return {
      update({ docChanged, transactions }) {
        if (!docChanged) return;
        if (transactions.some((change) => handled.some((kind) => change.isUserEvent(kind)))) {
          isWritten = true;
          source.written();
        }
        if (isWritten) editor.refresh();
      },
      destroy() {
        isClosed = true;
        clearTimeout(timer);
        source.closed(editor);
      },
    };
  });
  return [marks, checker, explanation, tooltips({ parent: document.body })];
}

/** Where a finding stands in a text; at least one character wide, where there is one. */
function placed(
  doc: Text,
  { line, column, length, message, code }: Finding,
): {
  readonly from: number;
  readonly to: number;
  readonly text: string;
} {
  const start = doc.line(Math.min(Math.max(1, line), doc.lines));
  const from = Math.min(start.from + Math.max(0, column - 1), Math.max(0, doc.length - 1));
  const to = Math.min(Math.max(from + 1, from + length), Math.max(from + 1, doc.length));
  return { from, to, text: `TS${code}: ${message}` };
}

import { isStrict } from "./cells/strict.js";
import type { LanguageRequests, TypeFinding } from "./languageRequests.js";
import { escapeHtml } from "./representations/html.js";
import type { Header, JsonObject } from "./wire.js";

/** A cell with a number beside it, in the notebook's order of execution. */
export interface NumberedCell {
  readonly header: Header;
  /** The front end's name for the cell, where it gives one. */
  readonly id: string | undefined;
  readonly count: number;
  readonly code: string;
}

/** What the type checker says about cells that have run, told below them. */
export interface TypeAdvice {
  began(cell: NumberedCell): void;
  ended(cell: NumberedCell): void;
}

export interface TypeAdvicePorts {
  readonly language: Pick<LanguageRequests, "isInUse" | "errors">;
  readonly isComputing: () => boolean;
  /** Whether the front end of that session shows type errors by itself. */
  readonly isTold: (session: string) => boolean;
  readonly display: (parent: Header, content: JsonObject) => void;
  readonly failed: (error: unknown) => void;
}

/** The kernel has been idle for so long when cells are looked at. */
const idleMs = 300;
const shownFindings = 20;

/**
 * Type errors as help: once the kernel is idle, each cell that ran is checked in the language worker, and what is wrong
 * appears below it as one `display_data`. It never delays a cell. A cell that ran again meanwhile is not told about;
 * one that begins with `// @check` was checked before it ran.
 *
 * Only for somebody who writes: it begins with the first completion or inspection. A notebook that is executed without a
 * front end asks for neither, so its outputs are the same each time. A front end that underlines type errors (`typeLink.ts`)
 * gets none below its cells.
 */
export function createTypeAdvice({ language, isComputing, isTold, display, failed }: TypeAdvicePorts): TypeAdvice {
  const latest = new Map<string, number>();
  const keyOf = ({ id, code }: NumberedCell): string => id ?? code;
  const isLatest = (cell: NumberedCell): boolean => latest.get(keyOf(cell)) === cell.count;
  let waiting: NumberedCell[] = [];
  let timer: NodeJS.Timeout | undefined;
  let isChecking = false;

  const later = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => void check().catch(failed), idleMs);
  };

  const check = async (): Promise<void> => {
    if (isChecking) return;
    isChecking = true;
    try {
      while (waiting.length > 0 && !isComputing()) {
        const cell = waiting.shift();
        if (!cell || !isLatest(cell) || isTold(cell.header.session)) continue;
        const found = await language.errors(cell.code, { count: cell.count });
        if (found.length > 0 && isLatest(cell) && !isTold(cell.header.session))
          display(cell.header, bundleOf(cell.count, found));
      }
    } finally {
      isChecking = false;
    }
  };

  return {
    began: (cell) => void latest.set(keyOf(cell), cell.count),
    ended(cell) {
      if (language.isInUse() && !isStrict(cell.code)) waiting = [...waiting.filter(isLatest), cell];
      if (waiting.length > 0) later();
    },
  };
}

function bundleOf(count: number, found: readonly TypeFinding[]): JsonObject {
  const lines = found
    .slice(0, shownFindings)
    .map(({ line, column, code, message }) => `cell[${count}].ts:${line}:${column} error TS${code}: ${message}`);
  const rest = found.length - lines.length;
  const text = [...lines, ...(rest > 0 ? [`… and ${rest} more`] : [])].join("\n");
  const style =
    "margin: 0; padding: 2px 8px; border-left: 3px solid var(--jp-warn-color1, #f57c00); white-space: pre-wrap";
  const html = `<pre style="${style}">${escapeHtml(text)}</pre>`;
  return { data: { "text/plain": text, "text/html": html }, metadata: {}, transient: {} };
}

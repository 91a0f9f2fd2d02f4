import type { NotebookPanel } from "@jupyterlab/notebook";

export type Kernel = NonNullable<NonNullable<NotebookPanel["sessionContext"]["session"]>["kernel"]>;
type Comm = ReturnType<Kernel["createComm"]>;

/** A type error of a cell; line and column from 1, column and length in UTF-16 units. */
export interface Finding {
  readonly line: number;
  readonly column: number;
  readonly length: number;
  readonly message: string;
  readonly code: number;
}

/** Asks one kernel for type errors, over a comm that this page opens. */
export interface TypeLink {
  /** From now on the kernel leaves it to this page to show type errors. */
  open(): void;
  readonly isOpen: boolean;
  /** Type errors of a cell after the cells that have run and the cells above it; none where the kernel cannot tell. */
  check(code: string, above: readonly string[]): Promise<readonly Finding[]>;
}

const target = "attention-lab.types.v1";
const links = new WeakMap<Kernel, TypeLink>();

/** The link to a kernel, which opens with its first use; it opens again after the kernel was restarted. */
export function typeLinkOf(kernel: Kernel): TypeLink {
  const known = links.get(kernel);
  if (known) return known;
  const made = createTypeLink(kernel);
  links.set(kernel, made);
  return made;
}

function createTypeLink(kernel: Kernel): TypeLink {
  const waiting = new Map<number, (found: readonly Finding[]) => void>();
  let comm: Comm | undefined;
  let isRefused = false;
  let seq = 0;

  const forget = (): void => {
    for (const settle of waiting.values()) settle([]);
    waiting.clear();
  };

  const opened = (): Comm | undefined => {
    if (comm && !comm.isDisposed) return comm;
    if (isRefused || !kernel.handleComms || kernel.status === "dead") return undefined;
    forget();
    const made = kernel.createComm(target);
    made.onMsg = ({ content: { data } }) => {
      const { seq: answered, findings } = data as { readonly seq?: unknown; readonly findings?: unknown };
      if (typeof answered !== "number" || !Array.isArray(findings)) return;
      waiting.get(answered)?.(findings.filter(isFinding));
      waiting.delete(answered);
    };
    // A kernel that does not know the target closes the comm.
    made.onClose = () => {
      isRefused = true;
      forget();
    };
    made.open();
    comm = made;
    return made;
  };

  return {
    open: () => void opened(),
    get isOpen() {
      return comm !== undefined && !comm.isDisposed;
    },
    check(code, above) {
      const used = opened();
      if (!used) return Promise.resolve([]);
      return new Promise((resolve) => {
        const asked = ++seq;
        waiting.set(asked, resolve);
        used.send({ seq: asked, code, above: [...above] });
      });
    },
  };
}

function isFinding(value: unknown): value is Finding {
  const { line, column, length, message, code } = (value ?? {}) as Readonly<Record<string, unknown>>;
  return typeof message === "string" && [line, column, length, code].every((part) => Number.isInteger(part));
}

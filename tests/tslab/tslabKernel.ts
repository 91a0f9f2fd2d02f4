import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client, nodes } from "../protocol/client.js";

const program = fileURLToPath(new URL("../../node_modules/tslab/bin/tslab", import.meta.url));

/** The kernel of the published tslab, on the machine's Node, in a folder. */
export async function startTslab(folder: string): Promise<{ readonly client: Client; stop(): Promise<void> }> {
  const place = mkdtempSync(join(tmpdir(), "attention-lab-tslab-"));
  const [shell_port, iopub_port, stdin_port, control_port, hb_port] = await freePorts(5);
  const ports = { shell_port, iopub_port, stdin_port, control_port, hb_port };
  const connection = {
    transport: "tcp",
    ip: "127.0.0.1",
    key: randomUUID(),
    signature_scheme: "hmac-sha256",
    ...ports,
  };
  const file = join(place, "connection.json");
  writeFileSync(file, JSON.stringify(connection));
  const args = ["--experimental-vm-modules", program, "kernel", `--config-path=${file}`];
  const child = spawn(nodes[0] ?? process.execPath, args, { cwd: folder, stdio: "ignore" });
  const exited = new Promise((resolve) => child.on("exit", resolve));
  const client = new Client(connection);
  // It has no welcome message: asked until it answers on shell, then until what it publishes arrives.
  for (let answered = false; !answered;) {
    const id = await client.send("kernel_info_request", {});
    await client.reply(id, 30_000);
    answered = await client.idle(id, 500).then(
      () => true,
      () => false,
    );
  }
  return {
    client,
    async stop() {
      client.close();
      child.kill("SIGKILL");
      await exited;
      rmSync(place, { recursive: true, force: true });
    },
  };
}

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, () => {
      const server = createServer();
      return new Promise<typeof server>((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

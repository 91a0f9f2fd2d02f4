import { readFileSync } from "node:fs";

/** What a connection file says: where the sockets are and what signs the messages. */
export interface Connection {
  readonly transport: "tcp" | "ipc";
  readonly ip: string;
  readonly key: string;
  readonly shell: number;
  readonly iopub: number;
  readonly stdin: number;
  readonly control: number;
  readonly heartbeat: number;
}

/**
 * The connection file that the client wrote.
 *
 * Throws   Error when the file cannot be read or lacks a field
 */
export function readConnection(path: string): Connection {
  const raw = JSON.parse(readFileSync(path, "utf8")) as Readonly<Record<string, unknown>>;
  const fail = (field: string, expected: string): never => {
    throw new Error(`connection file: "${field}" is wrong; expected ${expected}, got ${JSON.stringify(raw[field])}`);
  };
  const text = (field: string): string => {
    const value = raw[field];
    return typeof value === "string" ? value : fail(field, "a string");
  };
  const port = (field: string): number => {
    const value = raw[field];
    return Number.isInteger(value) && Number(value) > 0 ? Number(value) : fail(field, "a port number");
  };
  const { transport = "tcp", signature_scheme: scheme = "hmac-sha256", key = "" } = raw;
  if (transport !== "tcp" && transport !== "ipc") return fail("transport", '"tcp" or "ipc"');
  if (key !== "" && scheme !== "hmac-sha256") return fail("signature_scheme", '"hmac-sha256"');
  if (typeof key !== "string") return fail("key", "a string");
  return {
    transport,
    ip: text("ip"),
    key,
    shell: port("shell_port"),
    iopub: port("iopub_port"),
    stdin: port("stdin_port"),
    control: port("control_port"),
    heartbeat: port("hb_port"),
  };
}

/** The ZeroMQ address of a port; for `ipc` the port is the end of a file name. */
export function addressOf({ transport, ip }: Connection, port: number): string {
  return transport === "tcp" ? `tcp://${ip}:${port}` : `ipc://${ip}-${port}`;
}

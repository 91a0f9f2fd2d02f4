import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** How the stand-in for the hub behaves, changed by tests as it runs. */
export interface Behaviour {
  /** Bytes of a large file after which the connection is cut, once per entry. */
  readonly cutAfter: number[];
  /** Status and error code that every request about the model gets. */
  refuse?: { readonly status: number; readonly code?: string };
  /** Whether a range is answered with the whole file. */
  ignoresRange?: boolean;
  /** Bytes that are sent instead of the real ones. */
  corrupt?: boolean;
}

export interface HubServer {
  readonly endpoint: string;
  readonly requests: string[];
  readonly behaviour: Behaviour;
  readonly close: () => Promise<void>;
}

export const commit: string = "0123456789abcdef0123456789abcdef01234567";

/** The blob names that the hub gives: sha256 of large files, git's hash of small ones. */
export function etagOf(name: string, bytes: Buffer): string {
  return isLarge(name)
    ? createHash("sha256").update(bytes).digest("hex")
    : createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
}

function isLarge(name: string): boolean {
  return /\.(safetensors|onnx)$/.test(name);
}

/** A local server with the endpoints of the hub that a download uses. */
export async function hubServer(id: string, files: Readonly<Record<string, Buffer>>): Promise<HubServer> {
  const requests: string[] = [];
  const behaviour: Behaviour = { cutAfter: [] };
  const send = (request: IncomingMessage, response: ServerResponse, name: string): void => {
    const whole = behaviour.corrupt === true ? Buffer.alloc(files[name].length, 7) : files[name];
    const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? "");
    const from = range && behaviour.ignoresRange !== true ? Number(range[1]) : 0;
    const body = whole.subarray(from);
    const headers = { "content-length": body.length, etag: `"${etagOf(name, files[name])}"`, "accept-ranges": "bytes" };
    response.writeHead(from > 0 ? 206 : 200, {
      ...headers,
      ...(from > 0 ? { "content-range": `bytes ${from}-${whole.length - 1}/${whole.length}` } : {}),
      "x-repo-commit": commit,
    });
    if (request.method === "HEAD") return void response.end();
    const cut = isLarge(name) ? behaviour.cutAfter.shift() : undefined;
    if (cut === undefined) return void response.end(body);
    response.write(body.subarray(0, cut), () => setTimeout(() => response.destroy(), 20));
  };
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const url = new URL(request.url ?? "/", "http://hub");
    requests.push(
      `${request.method} ${url.pathname}${request.headers.range ? ` ${request.headers.range}` : ""}${request.headers.authorization ? " with token" : ""}`,
    );
    const fail = (status: number, code = ""): void => void response.writeHead(status, { "x-error-code": code }).end();
    if (url.pathname === "/api/models") return void response.end(JSON.stringify([{ id }, { id: "other/thing" }]));
    if (url.pathname.startsWith("/store/")) return send(request, response, decodeURIComponent(url.pathname.slice(7)));
    if (!url.pathname.includes(`/${id}/`)) return fail(404, "RepoNotFound");
    if (behaviour.refuse) return fail(behaviour.refuse.status, behaviour.refuse.code);
    const revision = /\/revision\/([^/]+)$/.exec(url.pathname)?.[1];
    if (revision !== undefined) {
      if (!["main", commit].includes(revision)) return fail(404, "RevisionNotFound");
      const siblings = Object.keys(files).map((rfilename) => ({ rfilename }));
      return void response
        .setHeader("content-type", "application/json")
        .end(JSON.stringify({ id, sha: commit, siblings }));
    }
    const name = decodeURIComponent(url.pathname.split(/\/resolve\/[^/]+\//)[1] ?? "");
    if (!Object.hasOwn(files, name)) return fail(404, "EntryNotFound");
    if (!isLarge(name)) return send(request, response, name);
    const host = `http://${request.headers.host}`;
    response.writeHead(302, {
      location: `${host}/store/${name}`,
      "x-repo-commit": commit,
      "x-linked-size": files[name].length,
      "x-linked-etag": `"${etagOf(name, files[name])}"`,
    });
    response.end();
  };
  const server: Server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const { port } = server.address() as AddressInfo;
  return { endpoint: `http://127.0.0.1:${port}`, requests, behaviour, close };
}

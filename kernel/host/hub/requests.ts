import { FormatError, nearestName, UnsupportedError } from "../../tensor/index.js";
import type { HubSettings } from "./settings.js";

/** What the hub says about one file before it is fetched. */
export interface RemoteFile {
  readonly name: string;
  /** Name of its blob: the sha256 of a large file, the git hash of a small one. */
  readonly etag: string;
  readonly sizeBytes: number;
}

/** A model on the hub at one commit. */
export interface Repository {
  readonly id: string;
  readonly commit: string;
  readonly names: readonly string[];
}

/** Attempts that may fail in a row before a request is given up. */
const attempts = 4;

export function headersOf({ token }: HubSettings): Record<string, string> {
  return { "user-agent": "attention-lab", ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
}

/** A pause that grows with each attempt; ends at once when the signal aborts. */
export async function pause(attempt: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, 100 * 3 ** attempt);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
  signal?.throwIfAborted();
}

/**
 * A request that is tried again while the network or the server fails.
 *
 * Throws   FormatError when the hub is not reached
 */
async function request(
  settings: HubSettings,
  path: string,
  init: RequestInit,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const url = new URL(path, `${settings.endpoint}/`);
  for (let attempt = 0; ; attempt++) {
    try {
      const response = await fetch(url, { ...init, headers: headersOf(settings), signal: signal ?? null });
      if (response.status < 500 || attempt === attempts - 1) return response;
      await response.body?.cancel();
    } catch (error) {
      signal?.throwIfAborted();
      if (attempt === attempts - 1) {
        const { cause } = error as { readonly cause?: { readonly code?: string; readonly message?: string } };
        throw new FormatError(
          `load: ${settings.endpoint} is not reached (${cause?.code ?? cause?.message ?? (error as Error).message}); HF_ENDPOINT names another hub, HF_HUB_OFFLINE=1 keeps to the cache`,
        );
      }
    }
    await pause(attempt, signal);
  }
}

async function refusal(settings: HubSettings, id: string, revision: string, response: Response): Promise<Error> {
  const code = response.headers.get("x-error-code") ?? "";
  const page = `${settings.endpoint}/${id}`;
  await response.body?.cancel();
  if (code === "GatedRepo" || response.status === 403) {
    const how =
      settings.token === undefined
        ? "accept its terms there, then set HF_TOKEN"
        : "the token in use has no access to it";
    return new UnsupportedError(`load: "${id}" is gated; ${how}: ${page}`);
  }
  if (code === "RevisionNotFound") return new FormatError(`load: "${id}" has no revision "${revision}"; see ${page}`);
  if (code === "RepoNotFound" || response.status === 404 || response.status === 401) {
    const near = await nearestId(settings, id);
    const guess = near === undefined ? "" : `; did you mean "${near}"?`;
    const hidden = settings.token === undefined ? "; a private model needs HF_TOKEN" : "";
    return new FormatError(`load: the hub has no model "${id}"${guess}${hidden}`);
  }
  return new FormatError(`load: ${settings.endpoint} answered ${response.status} ${response.statusText} for "${id}"`);
}

async function nearestId(settings: HubSettings, id: string): Promise<string | undefined> {
  const name = id.split("/").at(-1)!;
  try {
    const path = `/api/models?search=${encodeURIComponent(name.slice(0, 8))}&limit=50`;
    const response = await request(settings, path, {}, AbortSignal.timeout(5000));
    const found = response.ok ? ((await response.json()) as readonly { readonly id?: unknown }[]) : [];
    return nearestName(
      id,
      found.flatMap((model) => (typeof model.id === "string" ? [model.id] : [])),
    );
  } catch {
    return undefined;
  }
}

/**
 * The files of a model at a revision.
 *
 * Throws   FormatError when there is no such model or revision; UnsupportedError when it is gated
 */
export async function repositoryOf(
  settings: HubSettings,
  id: string,
  revision: string,
  signal: AbortSignal | undefined,
): Promise<Repository> {
  const response = await request(settings, `/api/models/${id}/revision/${encodeURIComponent(revision)}`, {}, signal);
  if (!response.ok) throw await refusal(settings, id, revision, response);
  const { sha, siblings } = (await response.json()) as { readonly sha?: unknown; readonly siblings?: unknown };
  const names = Array.isArray(siblings) ? siblings.map((file: { readonly rfilename?: unknown }) => file.rfilename) : [];
  if (typeof sha !== "string" || !/^[0-9a-f]{40}$/.test(sha) || !names.every((name) => typeof name === "string")) {
    throw new FormatError(`load: ${settings.endpoint} described "${id}" in an unknown form`);
  }
  return { id, commit: sha, names };
}

/**
 * The blob name and size of one file.
 *
 * Throws   FormatError when the hub does not tell them; UnsupportedError when the model is gated
 */
export async function remoteFile(
  settings: HubSettings,
  { id, commit }: Repository,
  name: string,
  signal: AbortSignal | undefined,
): Promise<RemoteFile> {
  let path = resolvePath(id, commit, name);
  for (let hop = 0; hop < 5; hop++) {
    const response = await request(settings, path, { method: "HEAD", redirect: "manual" }, signal);
    if (response.status >= 400) throw await refusal(settings, id, commit, response);
    const { headers } = response;
    const linked = headers.get("x-linked-etag");
    const location = headers.get("location");
    // A move within the hub is followed; one to a store of large files is not, since only the hub names the blob.
    if (linked === null && location !== null && location.startsWith("/")) {
      path = location;
      continue;
    }
    const etag = (linked ?? headers.get("etag") ?? "").replace(/^W\//, "").replaceAll('"', "");
    const size = Number(headers.get("x-linked-size") ?? headers.get("content-length") ?? NaN);
    if (!/^[\w.-]{8,128}$/.test(etag) || !Number.isSafeInteger(size) || size < 0) {
      throw new FormatError(`load: the hub tells no checksum and size of "${name}" in "${id}"`);
    }
    return { name, etag, sizeBytes: size };
  }
  throw new FormatError(`load: "${name}" in "${id}" is moved in a circle`);
}

export function resolvePath(id: string, commit: string, name: string): string {
  return `/${id}/resolve/${commit}/${name.split("/").map(encodeURIComponent).join("/")}`;
}

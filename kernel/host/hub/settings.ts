import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** Where models come from and who asks, as huggingface_hub reads it from the environment. */
export interface HubSettings {
  readonly endpoint: string;
  readonly token: string | undefined;
  readonly isOffline: boolean;
  /** Folder of the shared cache. */
  readonly cache: string;
}

function expand(path: string): string {
  return path === "~" || path.startsWith("~/") ? join(homedir(), path.slice(1)) : path;
}

/** The folder of huggingface_hub: an empty variable is an unset one. */
function home(): string {
  const { HF_HOME, XDG_CACHE_HOME } = process.env;
  return expand(HF_HOME || join(XDG_CACHE_HOME || join(homedir(), ".cache"), "huggingface"));
}

/** The hub folder of the shared Hugging Face cache. */
export function hubFolder(): string {
  const { HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE } = process.env;
  return expand(HF_HUB_CACHE || HUGGINGFACE_HUB_CACHE || join(home(), "hub"));
}

function storedToken(): string | undefined {
  const path = expand(process.env["HF_TOKEN_PATH"] || join(home(), "token"));
  try {
    return readFileSync(path, "utf8").trim() || undefined;
  } catch {
    return undefined;
  }
}

/** The settings of this moment. */
export function hubSettings(): HubSettings {
  const { HF_ENDPOINT, HF_TOKEN, HUGGING_FACE_HUB_TOKEN, HF_HUB_OFFLINE, TRANSFORMERS_OFFLINE } = process.env;
  return {
    endpoint: (HF_ENDPOINT || "https://huggingface.co").replace(/\/+$/, ""),
    token: (HF_TOKEN || HUGGING_FACE_HUB_TOKEN || "").trim() || storedToken(),
    isOffline: [HF_HUB_OFFLINE, TRANSFORMERS_OFFLINE].some((flag) => /^(1|true|yes|on)$/i.test(flag ?? "")),
    cache: hubFolder(),
  };
}

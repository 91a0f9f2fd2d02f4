import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";

/** The version of the Jupyter messaging specification that the kernel speaks. */
export const protocolVersion: string = "5.5";

/** A message's header; a client may add fields, they come back in `parent_header`. */
export interface Header {
  readonly msg_id: string;
  readonly msg_type: string;
  readonly session: string;
  readonly username: string;
  readonly date: string;
  readonly version: string;
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** A message from a client. */
export interface Incoming {
  readonly identities: readonly Uint8Array[];
  readonly header: Header;
  readonly content: JsonObject;
  readonly metadata: JsonObject;
  readonly buffers: readonly Uint8Array[];
}

/** A message to a client; a `content` that is a string is JSON already. */
export interface Outgoing {
  readonly identities: readonly (Uint8Array | string)[];
  readonly type: string;
  readonly parent: Header | undefined;
  readonly content: JsonObject | string;
  readonly metadata?: JsonObject | string;
  readonly buffers?: readonly Uint8Array[];
}

/** Turns messages to ZeroMQ frames and back, signing and checking them. */
export interface Wire {
  /** The kernel's own session, in every header it writes. */
  readonly session: string;
  encode(message: Outgoing): (Uint8Array | string)[];
  /** Undefined for what is malformed, wrongly signed, or a signed message seen before. */
  decode(frames: readonly Uint8Array[]): Incoming | undefined;
}

const delimiter = Buffer.from("<IDS|MSG>");
const rememberedSignatures = 1 << 16;

/**
 * Frames: identities, delimiter, signature, header, parent header, metadata, content, buffers.
 * The signature is the HMAC-SHA256 of the four JSON frames, never of the buffers; an empty key signs nothing.
 *
 * Source   Jupyter messaging specification 5.5, "The wire protocol"
 */
export function createWire(key: string): Wire {
  const session = randomUUID();
  const seen = new Set<string>();

  const sign = (parts: readonly (Uint8Array | string)[]): string => {
    if (key === "") return "";
    const hmac = createHmac("sha256", key);
    for (const part of parts) hmac.update(part);
    return hmac.digest("hex");
  };

  const isAuthentic = (signature: Uint8Array, parts: readonly Uint8Array[]): boolean => {
    if (key === "") return true;
    const expected = Buffer.from(sign(parts));
    if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) return false;
    const text = expected.toString();
    if (seen.has(text)) return false;
    seen.add(text);
    const oldest = seen.values().next();
    if (seen.size > rememberedSignatures && !oldest.done) seen.delete(oldest.value);
    return true;
  };

  return {
    session,
    encode({ identities, type, parent, content, metadata = {}, buffers = [] }) {
      const header: Header = {
        msg_id: randomUUID(),
        msg_type: type,
        session,
        username: "kernel",
        date: new Date().toISOString(),
        version: protocolVersion,
      };
      const parts = [header, parent ?? {}, metadata, content].map((part) =>
        typeof part === "string" ? part : JSON.stringify(part),
      );
      return [...identities, delimiter, sign(parts), ...parts, ...buffers];
    },
    decode(frames) {
      const at = frames.findIndex((frame) => delimiter.equals(frame));
      const [signature, header, parent, metadata, content, ...buffers] = at < 0 ? [] : frames.slice(at + 1);
      if (!signature || !header || !parent || !metadata || !content) return undefined;
      if (!isAuthentic(signature, [header, parent, metadata, content])) return undefined;
      const fields = { header: asHeader(parse(header)), metadata: parse(metadata), content: parse(content) };
      if (!fields.header || !fields.metadata || !fields.content) return undefined;
      return {
        identities: frames.slice(0, at),
        header: fields.header,
        metadata: fields.metadata,
        content: fields.content,
        buffers,
      };
    },
  };
}

function parse(frame: Uint8Array): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength).toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}

function asHeader(value: JsonObject | undefined): Header | undefined {
  if (typeof value?.["msg_id"] !== "string" || typeof value["msg_type"] !== "string") return undefined;
  return value as unknown as Header;
}

import { stripVTControlCharacters } from "node:util";
import { root } from "../environment.js";
import type { Client, Message } from "../protocol/client.js";

type Bundle = Readonly<Record<string, unknown>>;

/** What a reader sees of a cell. */
export interface Outcome {
  readonly isOk: boolean;
  /** Text, displays and the error's title; the same for both kernels when they say the same in different messages. */
  readonly text: string;
}

/** tslab refuses everything for so long after an error, milliseconds. */
const refusalMs = 260;
/** A text longer than this is told by its lines, characters. */
const longText = 400;

/**
 * Runs a cell and describes what came of it. A value counts as text: tslab prints it, our kernel sends it as a result.
 * An error counts by its title: tslab writes it to stderr, our kernel sends a message.
 */
export async function outcomeOf(client: Client, code: string): Promise<Outcome> {
  const id = await client.start(code, { stop_on_error: false });
  const reply = await client.reply(id, 20_000);
  // In a flood of output tslab loses its idle message as well.
  await client.idle(id, 1500).catch(() => undefined);
  const isOk = reply.content["status"] === "ok";
  if (!isOk) await new Promise((resolve) => setTimeout(resolve, refusalMs));
  const places = new Map<unknown, number>();
  const parts = client
    .of(id)
    .filter(({ channel }) => channel === "iopub")
    .map((message) => partOf(message, isOk, places));
  // A type checker may find one mistake several times.
  const firstError = parts.findIndex((part) => part.startsWith("error: "));
  const text = stripVTControlCharacters(
    parts.filter((part, at) => at <= firstError || !part.startsWith("error: ")).join(""),
  )
    .trimEnd()
    .replaceAll(root, "/");
  return { isOk, text: text.length > longText ? `${text.split("\n").length} lines` : text };
}

function partOf({ type, content }: Message, isOk: boolean, places: Map<unknown, number>): string {
  const data = (content["data"] ?? {}) as Bundle;
  switch (type) {
    case "stream":
      if (content["name"] === "stdout") return String(content["text"]);
      return `${isOk ? "stderr" : "error"}: ${titleOf(String(content["text"]))}\n`;
    case "execute_result":
      return `${String("text/html" in data ? data["text/html"] : data["text/plain"])}\n`;
    case "error":
      return `error: ${String(content["ename"])}: ${String(content["evalue"]).split("\n")[0]}\n`;
    case "display_data":
    case "update_display_data": {
      const id = (content["transient"] as { readonly display_id?: unknown } | undefined)?.display_id;
      if (id !== undefined && !places.has(id)) places.set(id, places.size + 1);
      const place = id === undefined ? "" : ` ${places.get(id)}`;
      return `${type === "display_data" ? "display" : "update"}${place}: ${JSON.stringify(data)}\n`;
    }
    default:
      return "";
  }
}

/** The line above the stack's first frame; where there is no stack, the first line. */
function titleOf(text: string): string {
  const lines = text.split("\n");
  const frame = lines.findIndex((line) => /^\s+at /.test(line));
  return lines[Math.max(frame - 1, 0)] ?? "";
}

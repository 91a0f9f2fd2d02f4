import { StringDecoder } from "node:string_decoder";
import type { CellScopes } from "./cellScope.js";
import type { Link } from "./link.js";

type Written = string | Uint8Array;
type Callback = (error?: Error | null) => void;

/**
 * Sends what is written to `process.stdout` and `process.stderr`, `console` included, to the cell that wrote it.
 * What native code and child processes write to the file descriptors is not seen.
 */
export function captureStreams(link: Link, scopes: CellScopes): void {
  for (const name of ["stdout", "stderr"] as const) {
    const decoder = new StringDecoder("utf8");
    process[name].write = (chunk: Written, encoding?: BufferEncoding | Callback, callback?: Callback): boolean => {
      const bytes = typeof chunk === "string" ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      const coded = typeof encoding === "string" && !/^utf-?8$/i.test(encoding);
      const text = typeof bytes === "string" ? (coded ? decode(bytes, encoding) : bytes) : decoder.write(bytes);
      if (text !== "") link.post({ kind: "stream", request: scopes.current().request, name, text });
      const done = typeof encoding === "function" ? encoding : callback;
      if (done) process.nextTick(done);
      return true;
    };
  }
}

/** `write("aGk=", "base64")` writes what the string encodes. */
function decode(text: string, encoding: BufferEncoding): string {
  return Buffer.from(text, encoding).toString("utf8");
}

import { randomUUID } from "node:crypto";
import { kernel } from "../api.js";

/** What tslab's `display` and `newDisplay()` offer: one method per kind of content, written to the running cell at once. */
export interface Display {
  javascript(text: string): void;
  html(text: string): void;
  markdown(text: string): void;
  latex(text: string): void;
  svg(text: string): void;
  png(bytes: Uint8Array): void;
  jpeg(bytes: Uint8Array): void;
  gif(bytes: Uint8Array): void;
  pdf(bytes: Uint8Array): void;
  text(text: string): void;
  raw(contentType: string, content: string | Uint8Array): void;
}

type Publish = (bundle: Readonly<Record<string, string>>) => void;

/** Every call adds an output to the running cell. */
export const display: Display = displayWith((bundle) => void running().display(bundle, { raw: true }));

/** A display of its own place: the first call adds an output, later ones replace it, from any cell. */
export function newDisplay(): Display {
  const id = randomUUID();
  let isShown = false;
  return displayWith((bundle) => {
    if (isShown) void running().updateDisplay(id, bundle, { raw: true });
    else void running().display(bundle, { id, raw: true });
    isShown = true;
  });
}

function displayWith(publish: Publish): Display {
  const raw = (contentType: string, content: string | Uint8Array): void => {
    const data = content instanceof Uint8Array ? Buffer.from(content).toString("base64") : content;
    publish({ [contentType]: data });
  };
  return {
    javascript: (text) => raw("text/javascript", text),
    html: (text) => raw("text/html", text),
    markdown: (text) => raw("text/markdown", text),
    latex: (text) => raw("text/latex", text),
    svg: (text) => raw("image/svg+xml", text),
    png: (bytes) => raw("image/png", bytes),
    jpeg: (bytes) => raw("image/jpeg", bytes),
    gif: (bytes) => raw("image/gif", bytes),
    pdf: (bytes) => raw("application/pdf", bytes),
    text: (text) => raw("text/plain", text),
    raw,
  };
}

function running(): NonNullable<ReturnType<typeof kernel>> {
  const found = kernel();
  if (found) return found;
  throw new Error("tslab: needs a running kernel; expected a notebook cell, got a plain Node process");
}

import { isKnown, viewOf } from "../../../extension/src/views/index.js";
import { sourceWords } from "../../../extension/src/words.js";

// A figure as a notebook holds it: JSON in the page, checked, decoded and drawn.
const held = document.getElementById("payload");
const mime = held?.dataset["mime"] ?? "";
if (!held || !isKnown(mime)) throw new Error(`bench: no payload of a known type, got "${mime}"`);
const view = viewOf(mime, JSON.parse(held.textContent) as unknown, { words: sourceWords });
document.getElementById("host")?.append(view.node);
view.draw();

import type { Family } from "../family.js";
import { bert } from "./bert.js";
import { debertaV2 } from "./debertaV2.js";
import { distilbert } from "./distilbert.js";
import { gemma2 } from "./gemma2.js";
import { gpt2 } from "./gpt2.js";
import { gptNeo } from "./gptNeo.js";
import { gptNeoX } from "./gptNeoX.js";
import { llama } from "./llama.js";
import { mistral } from "./mistral.js";
import { modernBert } from "./modernBert.js";
import { opt } from "./opt.js";
import { phi3 } from "./phi3.js";
import { qwen2 } from "./qwen2.js";
import { qwen3 } from "./qwen3.js";
import { roberta } from "./roberta.js";

/** Every model family that can be loaded. */
export const families: readonly Family[] = [
  bert, debertaV2, distilbert, gemma2, gpt2, gptNeo, gptNeoX, llama, mistral, modernBert, opt, phi3, qwen2, qwen3, roberta,
]; // prettier-ignore

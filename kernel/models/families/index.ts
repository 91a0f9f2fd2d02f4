import type { Family } from "../family.js";
import { bart } from "./bart.js";
import { bert } from "./bert.js";
import { bloom } from "./bloom.js";
import { clip } from "./clip.js";
import { debertaV2 } from "./debertaV2.js";
import { dinov2 } from "./dinov2.js";
import { distilbert } from "./distilbert.js";
import { falcon } from "./falcon.js";
import { gemma } from "./gemma.js";
import { gemma2 } from "./gemma2.js";
import { gemma3 } from "./gemma3.js";
import { gpt2 } from "./gpt2.js";
import { gptNeo } from "./gptNeo.js";
import { gptNeoX } from "./gptNeoX.js";
import { gptOss } from "./gptOss.js";
import { granite } from "./granite.js";
import { llama } from "./llama.js";
import { llava } from "./llava.js";
import { marian } from "./marian.js";
import { mbart } from "./mbart.js";
import { mistral } from "./mistral.js";
import { mixtral } from "./mixtral.js";
import { modernBert } from "./modernBert.js";
import { olmo } from "./olmo.js";
import { olmo2 } from "./olmo2.js";
import { opt } from "./opt.js";
import { pegasus } from "./pegasus.js";
import { phi } from "./phi.js";
import { phi3 } from "./phi3.js";
import { qwen2 } from "./qwen2.js";
import { qwen3 } from "./qwen3.js";
import { roberta } from "./roberta.js";
import { siglip } from "./siglip.js";
import { stablelm } from "./stablelm.js";
import { t5 } from "./t5.js";
import { transformer } from "./transformer.js";
import { vit } from "./vit.js";
import { whisper } from "./whisper.js";

/** Every model family that can be loaded. */
export const families: readonly Family[] = [
  bart, bert, bloom, clip, debertaV2, dinov2, distilbert, falcon, gemma, gemma2, gemma3, gpt2, gptNeo, gptNeoX, gptOss,
  granite, llama, llava, marian, mbart, mistral, mixtral, modernBert, olmo, olmo2, opt, pegasus, phi, phi3, qwen2,
  qwen3, roberta, siglip, stablelm, t5, transformer, vit, whisper,
]; // prettier-ignore

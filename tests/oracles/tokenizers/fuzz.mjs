// Other random texts against the Python package tokenizers, live:
//   node tests/oracles/tokenizers/fuzz.mjs <interpreter with tokenizers> [seed] [count]
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { files } from "../../../kernel/lib/host/files.js";
import { loadTokenizer } from "../../../kernel/lib/models/tokenizer.js";

const folder = fileURLToPath(new URL(".", import.meta.url));
const [python = "python3", seed = String(Date.now() % 1e9), count = "2000"] = process.argv.slice(2);
const options = { encoding: "utf8", maxBuffer: 2 ** 30 };
const { texts, read } = JSON.parse(execFileSync(python, [join(folder, "record.py"), seed, count], options));
let wrong = 0;
for (const [name, expected] of Object.entries(read)) {
  const tokenizer = await loadTokenizer(files, join(folder, name));
  let own = 0;
  texts.forEach((text, i) => {
    const { ids, offsets } = tokenizer.encode(text);
    const got = JSON.stringify({ ids, places: offsets.codePoints.flat() });
    if (got === JSON.stringify(expected[i])) return;
    if (own++ < 3) console.log(`${name} ${JSON.stringify(text)}\n  expected ${JSON.stringify(expected[i])}\n  got      ${got}`);
  });
  console.log(`${name}: ${own} of ${texts.length} texts differ`);
  wrong += own;
}
process.exitCode = wrong === 0 ? 0 : 1;
console.log(`seed ${seed}`);

import type { Model, ModelInput, TokenSet } from "../models/index.js";
import { setMass } from "../probes/index.js";
import { checkOptions, OptionError } from "../tensor/index.js";
import { ablate, type AblateOptions } from "./ablate.js";
import { type DormancyRow, DormancyTable } from "./dormancyTable.js";
import { promptsOf } from "./parts/prompts.js";
import { meanOf } from "./parts/statistics.js";
import { promptLoss } from "./promptLoss.js";

export interface DormancyOptions extends Pick<AblateOptions, "layers" | "heads" | "seed" | "onProgress" | "signal"> {
  /** The tokens on which a head rests; default token 0. */
  readonly sink?: TokenSet;
  /** Mean attention on them above which a head may be dormant; default 0.5. */
  readonly mass?: number;
  /** It is, where zeroing it changes the loss by less than this, interval included; default 0.01. Units: nats. */
  readonly loss?: number;
}

/**
 * Which heads rest on which kind of text: attention on the sink, and what is lost without the head.
 *
 *   dormant    mean attention on the sink > mass, and the whole interval of Δloss within ± loss
 *   active     the whole interval of Δloss beyond ± loss
 *   unclear    the rest: an interval that the prompts do not settle, or a head that does nothing though it looks elsewhere
 *
 * Δloss: mean next-token loss with the head's output at zero minus without; "to BOS": with all its attention moved to the
 * first token, the second test of the source. Intervals are bootstraps over prompts.
 *
 * Units    nats
 * Throws   OptionError on a domain without prompts, or fewer than two
 * Source   arXiv:2410.13835 §2 (which publishes no thresholds: both are arguments)
 * Example  await dormancy(model, { prose, code })
 */
export async function dormancy(
  model: Model,
  domains: Readonly<Record<string, readonly string[] | ModelInput>>,
  options: DormancyOptions = {},
): Promise<DormancyTable> {
  checkOptions("dormancy", options, ["sink", "mass", "loss", "layers", "heads", "seed", "onProgress", "signal"]);
  const { sink = [0], mass = 0.5, loss = 0.01, onProgress, ...sweep } = options;
  const names = Object.keys(domains);
  if (names.length === 0) throw new OptionError("dormancy: expected at least one domain, got none");
  const rows: DormancyRow[] = [];
  for (const [at, domain] of names.entries()) {
    const prompts = promptsOf("dormancy", domains[domain]);
    if (prompts.length < 2) {
      throw new OptionError(`dormancy: domain "${domain}" must have at least 2 prompts, got ${prompts.length}`);
    }
    const onSink = setMass({ name: "sink", to: sink, from: (_, position) => position > 0 });
    const found: number[][] = [];
    for (const prompt of prompts) {
      const settings = options.signal ? { signal: options.signal } : {};
      const run = await model.run(prompt.times(1), { patterns: false, outputs: false, probes: [onSink], ...settings });
      found.push(Array.from(run.probe("sink").numbers()));
    }
    const table = await ablate(model, domains[domain], {
      ...sweep,
      metric: promptLoss(),
      modes: ["zero", "bos"],
      ...(onProgress ? { onProgress: (done, total) => onProgress(at * total + done, names.length * total) } : {}),
    });
    for (const { layer, head, mode, effect, low, high } of table.rows) {
      if (mode !== "zero") continue;
      const sinkMass = meanOf(found.map((each) => each[layer * model.heads + head]));
      const isSmall = low > -loss && high < loss;
      const isLarge = low > loss || high < -loss;
      const state = isSmall && sinkMass > mass ? "dormant" : isLarge ? "active" : "unclear";
      rows.push({
        domain,
        layer,
        head,
        sinkMass,
        effect,
        low,
        high,
        toBos: table.at(layer, head, "bos").effect,
        state,
      });
    }
  }
  return new DormancyTable({ title: model.name, domains: names, mass, loss, rows });
}

import { build } from "../graph/index.js";
import { OptionError, Tensor } from "../tensor/index.js";
import type { PromptMetric } from "./parts/metric.js";

/**
 * The mean surprise of a prompt's own tokens, as `Run.loss` of that prompt.
 *
 *   mean over t of −ln p(token t + 1 | tokens … t), both real
 *
 * Units    nats
 * Throws   OptionError at the run for a model that does not predict next tokens
 */
export function promptLoss(): PromptMetric {
  return {
    name: "promptLoss()",
    write: (site) => {
      const { batch, model, feed, at, addresses } = site;
      if (!model.causal || !addresses.includes("logits")) {
        throw new OptionError(`promptLoss: ${model.architecture} does not predict next tokens`);
      }
      const { size, length, inputIds, attentionMask } = batch;
      const counted = Float32Array.from({ length: size * length }, (_, i) =>
        i % length < length - 1 && attentionMask[i] === 1 && attentionMask[i + 1] === 1 ? 1 : 0,
      );
      const next = BigInt64Array.from({ length: size * length * 3 }, (_, i) => {
        const at = Math.floor(i / 3);
        const id = counted[at] === 1 ? inputIds[at + 1] : 0;
        return BigInt([Math.floor(at / length), at % length, id][i % 3]);
      });
      const weight = feed("metric counted", new Tensor("float32", [size, length], counted), ["batch", "query"]);
      const rows = feed("metric next", new Tensor("int64", [size, length, 3], next), ["batch", "query", 3]);
      const logits = at("logits"); // [B,Q,V]
      const top = build.reduceMax(logits, [2], true);
      const total = build.add(
        build.log(build.reduceSum(build.exp(build.sub(logits, top)), [2])),
        build.squeeze(top, [2]),
      );
      const surprise = build.mul(build.sub(total, build.gatherND(logits, rows)), weight);
      return build.div(build.reduceSum(surprise, [1]), build.reduceSum(weight, [1]));
    },
  };
}

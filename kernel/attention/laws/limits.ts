import { evaluate } from "../../graph/index.js";
import { OptionError, knownNames } from "../../tensor/index.js";
import type { Call, Mechanism } from "../mechanism.js";
import * as registry from "../mechanisms/index.js";
import { caseOf, maskOf } from "./case.js";
import { apart, notAsked, type Law } from "./law.js";

const mechanisms: Readonly<Record<string, Mechanism>> = registry;

/** Under the options, parameters and gates of each limit the mechanism is the other one. */
export const limits: Law = {
  name: "in its limits it is the other mechanism",
  check: (unit) => {
    for (const { when, options, parameters, gates, equals, with: theirs } of unit.limits) {
      const other = Object.hasOwn(mechanisms, equals) ? mechanisms[equals] : undefined;
      if (!other)
        throw new OptionError(
          `${unit.name}: unknown mechanism "${equals}"${knownNames(equals, Object.keys(mechanisms))}`,
        );
      const sees = unit.promises.sees === "mask" ? "some" : unit.promises.sees;
      const given = caseOf(unit, { sees, options, parameters, gates });
      const { q, k, v } = given.call;
      const call: Call = {
        ...{ q, k, v },
        mask: other.promises.sees === "mask" ? maskOf(sees, given.sizes) : undefined,
        gates: Object.fromEntries(Object.keys(other.gates ?? {}).map((name) => [name, given.call.gates![name]])),
      };
      const [ours, others] = [unit.attend(given.call, options), other.attend(call, theirs)];
      const outputs = { z: ours.z, pattern: ours.pattern, otherZ: others.z, otherPattern: others.pattern };
      const got = evaluate(outputs, given.feeds);
      const wrong =
        apart(`when ${when}, z`, got["z"].data, got["otherZ"].data, 1e-8) ??
        apart(`when ${when}, the pattern`, got["pattern"].data, got["otherPattern"].data, 1e-8);
      if (wrong !== undefined) return wrong;
    }
    return unit.limits.length === 0 ? notAsked : undefined;
  },
};

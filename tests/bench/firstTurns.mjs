// A model whose long runs compute only the first turns of each loop and give copies of them for the rest: numbers without
// meaning, in the memory that the whole run takes.
import { Model } from "../../kernel/lib/models/index.js";
import { Tensor } from "../../kernel/lib/tensor/index.js";

/** The same slices over and over, for so many turns; a memory of their own. */
function repeated({ dtype, shape: [own, ...rest], data }, turns) {
  const all = new data.constructor((data.length / own) * turns);
  for (let i = 0; i < all.length; i += data.length) all.set(data.subarray(0, Math.min(data.length, all.length - i)), i);
  return new Tensor(dtype, [turns, ...rest], all);
}

const entries = (values, change) =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(value)]));

/** `runs`: how many runs of each loop are computed; each is of as many turns as take up to a second. */
export function firstTurnsOnly(model, runs) {
  const parts = model.parts();
  // Turns that are not computed take the time of those that were, or more and more of them would be run at once.
  const now = Date.now;
  let ahead = 0;
  Date.now = () => now() + ahead;

  const sampled = (carried) => {
    let computed = 0;
    let last;
    const run = async (feeds, names, settings) => {
      const [slices] = Object.values(feeds);
      if (slices === undefined) return carried.run(feeds, names, settings);
      const turns = slices.shape[0];
      if (computed++ < runs) {
        const began = now();
        const results = await carried.run(feeds, names, settings);
        last = { results, perTurn: (now() - began) / turns };
        return results;
      }
      ahead += last.perTurn * turns;
      return entries(last.results, (tensor) => repeated(tensor, turns));
    };
    return { ...carried, run };
  };
  const compile = async (outputs, settings) => {
    const compiled = await parts.engine.compile(outputs, settings);
    return { ...compiled, carry: async (...given) => sampled(await compiled.carry(...given)) };
  };
  return new Model({ ...parts, engine: { device: parts.engine.device, dtype: parts.engine.dtype, compile } });
}

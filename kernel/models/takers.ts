import type { Tensor } from "../tensor/index.js";
import type { Address } from "./addresses.js";
import type { RunOptions } from "./options.js";

/** What takes activations as soon as they are there, by address. */
export type Takers = Readonly<Record<Address, (activation: Tensor) => void>>;

/** Each of these addresses is handed to the same function. */
export function takers(addresses: readonly Address[], onCapture: NonNullable<RunOptions["onCapture"]>): Takers {
  return Object.fromEntries(
    addresses.map((address) => [address, (activation: Tensor): void => onCapture(address, activation)]),
  );
}

/** Hands over what is taken, in the order of the addresses, and gives what is left. */
export function handOver(results: Readonly<Record<string, Tensor>>, take: Takers): Readonly<Record<string, Tensor>> {
  for (const [name, tensor] of Object.entries(results)) if (Object.hasOwn(take, name)) take[name](tensor);
  return Object.fromEntries(Object.entries(results).filter(([name]) => !Object.hasOwn(take, name)));
}

import { asciiBytes, asciiText, FormatError } from "../tensor/index.js";
import type { Trial } from "./comparison.js";
import type { Cost } from "./costs.js";
import type { TrainingHost } from "./host.js";

const format = "attention-lab comparison 1";

interface Kept<T> {
  readonly key: string;
  readonly value: T;
}

/** JSON writes NaN as null. */
const number = (x: number | null): number => x ?? NaN;

function escaped(text: string): string {
  return text.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** What a comparison has found so far, in a file that is kept up to date; without a path, in memory only. */
export class ComparisonRecord {
  readonly #host: Pick<TrainingHost, "replace">;
  readonly #path: string | undefined;
  readonly #trials: Kept<Trial>[] = [];
  readonly #costs: Kept<Cost>[] = [];
  #written: Promise<void> = Promise.resolve();

  private constructor(host: Pick<TrainingHost, "replace">, path: string | undefined) {
    this.#host = host;
    this.#path = path;
  }

  /** Throws FormatError where the file is something else. */
  static async open(host: Pick<TrainingHost, "read" | "replace">, path: string | undefined): Promise<ComparisonRecord> {
    const record = new ComparisonRecord(host, path);
    const bytes = path === undefined ? undefined : await host.read(path);
    if (!bytes) return record;
    let found: { readonly format?: unknown; readonly trials?: unknown; readonly costs?: unknown } | undefined;
    try {
      found = JSON.parse(asciiText(bytes)) as typeof found;
    } catch {
      found = undefined;
    }
    const { costs = [] } = found ?? {};
    if (found?.format !== format || !Array.isArray(found.trials) || !Array.isArray(costs))
      throw new FormatError(`compare: ${path} is no record of a comparison`);
    for (const { key, trial } of found.trials as readonly { readonly key: string; readonly trial: Trial }[]) {
      const value = { ...trial, parameters: number(trial.parameters), msPerStep: number(trial.msPerStep) };
      record.#trials.push({ key, value });
    }
    for (const { key, cost } of costs as readonly { readonly key: string; readonly cost: Cost }[]) {
      const { flops, activationBytes, ms, stateNumbers } = cost;
      const counted = { flops: number(flops), activationBytes: number(activationBytes) };
      const numbers = { ...counted, ms: number(ms), stateNumbers: number(stateNumbers) };
      record.#costs.push({ key, value: { ...cost, ...numbers } });
    }
    return record;
  }

  trial(key: string): Trial | undefined {
    return this.#trials.find((kept) => kept.key === key)?.value;
  }

  cost(key: string): Cost | undefined {
    return this.#costs.find((kept) => kept.key === key)?.value;
  }

  async addTrial(key: string, value: Trial): Promise<void> {
    this.#trials.push({ key, value });
    return this.#write();
  }

  async addCost(key: string, value: Cost): Promise<void> {
    this.#costs.push({ key, value });
    return this.#write();
  }

  /** One after the other, so that the last one has all. */
  async #write(): Promise<void> {
    const path = this.#path;
    if (path === undefined) return;
    this.#written = this.#written.then(async () => {
      const trials = this.#trials.map(({ key, value }) => ({ key, trial: value }));
      const costs = this.#costs.map(({ key, value }) => ({ key, cost: value }));
      await this.#host.replace(
        path,
        asciiBytes(escaped(`${JSON.stringify({ format, trials, costs }, undefined, 1)}\n`)),
      );
    });
    return this.#written;
  }
}

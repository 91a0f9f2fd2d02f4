import type { Span } from "../utf8.js";

/** A character of a changed text, and what it cost: 0 replaces one, 1 is new, −n replaces one and drops the n after it. */
export type Change = readonly [character: string, change: number];

/** How separators fall to the pieces around them. */
export type Behaviour = "Removed" | "Isolated" | "MergedWithPrevious" | "MergedWithNext" | "Contiguous";

/** A part of a text as it was changed, each character with the place in the untouched text that it stands for. */
export class Aligned {
  readonly characters: readonly string[];
  /** In code points of the untouched text. */
  readonly spans: readonly Span[];
  /** Where the part began in the untouched text. */
  readonly start: number;

  constructor(characters: readonly string[], spans: readonly Span[], start: number) {
    this.characters = characters;
    this.spans = spans;
    this.start = start;
  }

  static of(text: string): Aligned {
    const characters = [...text];
    return new Aligned(
      characters,
      characters.map((_, i) => [i, i + 1]),
      0,
    );
  }

  get text(): string {
    return this.characters.join("");
  }

  get length(): number {
    return this.characters.length;
  }

  slice(from: number, to: number): Aligned {
    const start = this.spans[from]?.[0] ?? this.start;
    return new Aligned(this.characters.slice(from, to), this.spans.slice(from, to), start);
  }

  /** What characters from … to−1 stand for. */
  span(from: number, to: number): Span {
    return [this.spans[from][0], this.spans[to - 1][1]];
  }

  /** Another text in its place. A new character stands for what the last one that was used up stands for. */
  changed(result: readonly Change[]): Aligned {
    let at = 0;
    const spans = result.map(([, change]): Span => {
      if (change > 0) return at === 0 ? [0, 0] : this.spans[at - 1];
      const span = this.spans[Math.min(at, this.length - 1)];
      at += 1 - change;
      return span;
    });
    return new Aligned(
      result.map(([character]) => character),
      spans,
      this.start,
    );
  }

  /** The characters that are kept. */
  kept(keep: (character: string) => boolean): Aligned {
    const places = [...this.characters.keys()].filter((i) => keep(this.characters[i]));
    return new Aligned(
      places.map((i) => this.characters[i]),
      places.map((i) => this.spans[i]),
      this.start,
    );
  }

  /** Every character replaced by others, of which there may be none. */
  mapped(replace: (character: string) => readonly string[]): Aligned {
    const parts = this.characters.map(replace);
    return new Aligned(
      parts.flat(),
      parts.flatMap((part, i) => part.map(() => this.spans[i])),
      this.start,
    );
  }

  /** With a text before it, which stands for what its first character stands for; nothing before nothing. */
  prepended(text: string): Aligned {
    if (this.length === 0) return this;
    const added = [...text];
    return new Aligned([...added, ...this.characters], [...added.map(() => this.spans[0]), ...this.spans], this.start);
  }

  /** Where an expression with the flags `gu` matches, in characters; empty matches are passed over. */
  matches(pattern: RegExp): Span[] {
    const places = new Map<number, number>();
    let unit = 0;
    this.characters.forEach((character, i) => {
      places.set(unit, i);
      unit += character.length;
    });
    places.set(unit, this.length);
    return [...this.text.matchAll(pattern)]
      .filter(([match]) => match !== "")
      .map(({ 0: match, index }) => [places.get(index)!, places.get(index + match.length)!]);
  }

  /** Matches replaced by a text, which stands for what their last character stands for. */
  replaced(matches: readonly Span[], content: string): Aligned {
    const added = [...content];
    const [characters, spans]: [string[], Span[]] = [[], []];
    let end = 0;
    for (const [from, to] of [...matches, [this.length, this.length] as const]) {
      for (let i = end; i < from; i++) {
        characters.push(this.characters[i]);
        spans.push(this.spans[i]);
      }
      for (const character of from < to ? added : []) {
        characters.push(character);
        spans.push(this.spans[to - 1]);
      }
      end = to;
    }
    return new Aligned(characters, spans, this.start);
  }

  /** The parts between and at separators, empty ones left out. */
  split(separators: readonly Span[], behaviour: Behaviour, invert = false): Aligned[] {
    const parts: { from: number; to: number; separates: boolean }[] = [];
    let end = 0;
    for (const [from, to] of separators) {
      if (from > end) parts.push({ from: end, to: from, separates: invert });
      parts.push({ from, to, separates: !invert });
      end = to;
    }
    if (end < this.length) parts.push({ from: end, to: this.length, separates: invert });
    return joined(parts, behaviour).map(({ from, to }) => this.slice(from, to));
  }
}

type Part = { from: number; to: number; readonly separates: boolean };

function joined(parts: readonly Part[], behaviour: Behaviour): readonly Part[] {
  switch (behaviour) {
    case "Removed":
      return parts.filter(({ separates }) => !separates);
    case "Isolated":
      return parts;
    case "Contiguous":
      return fold(parts, (part, last) => part.separates === last.separates, "to");
    case "MergedWithPrevious":
      return fold(parts, (part, last) => part.separates && !last.separates, "to");
    case "MergedWithNext":
      return fold([...parts].reverse(), (part, last) => part.separates && !last.separates, "from").reverse();
  }
}

/** Parts joined to the one before them where they are to be; `last` is the part before as it was. */
function fold(parts: readonly Part[], joins: (part: Part, last: Part) => boolean, edge: "from" | "to"): Part[] {
  const result: Part[] = [];
  parts.forEach((part, i) => {
    if (i > 0 && joins(part, parts[i - 1])) result.at(-1)![edge] = part[edge];
    else result.push({ ...part });
  });
  return result;
}

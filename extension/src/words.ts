/** What a view needs of a Jupyter translation bundle. */
export interface Words {
  /** The text in the user's language; %1, %2, … are replaced by the values. */
  readonly __: (text: string, ...values: (string | number)[]) => string;
  /** The singular or plural text for `count`, which is %1; further values are %2, %3, … */
  readonly _n: (singular: string, plural: string, count: number, ...values: (string | number)[]) => string;
}

const fill = (text: string, values: readonly (string | number)[]): string =>
  text.replace(/%(\d)/g, (mark, place: string) => String(values[Number(place) - 1] ?? mark));

/** The words as they are written in the source. */
export const sourceWords: Words = {
  __: (text, ...values) => fill(text, values),
  _n: (singular, plural, count, ...values) => fill(count === 1 ? singular : plural, [count, ...values]),
};

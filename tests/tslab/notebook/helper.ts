export const double = (x: number): number => 2 * x;
export default "the default";
export interface Point {
  readonly x: number;
}
export class Counter {
  count = 0;
}

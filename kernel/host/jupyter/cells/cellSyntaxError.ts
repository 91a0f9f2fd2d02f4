/** Where a cell fails to parse; line and column start at 1, columns count UTF-16 units. */
export interface CellErrorPlace {
  readonly line: number;
  readonly column: number;
  readonly source: string;
  readonly sourceURL: string;
}

/** A cell that the parser refuses. */
export class CellSyntaxError extends SyntaxError implements CellErrorPlace {
  readonly line: number;
  readonly column: number;
  readonly source: string;
  readonly sourceURL: string;

  constructor(message: string, place: CellErrorPlace) {
    super(message);
    this.line = place.line;
    this.column = place.column;
    this.source = place.source;
    this.sourceURL = place.sourceURL;
  }
}

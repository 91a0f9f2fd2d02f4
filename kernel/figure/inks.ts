/** Colours of everything that is not data: text, secondary text, hairlines, and what it stands on. */
export interface Ink {
  readonly text: string;
  readonly quiet: string;
  readonly line: string;
  /** undefined: nothing is painted behind the picture. */
  readonly paper: string | undefined;
}

/** Where a picture is to stand: on white paper, on nothing, or on the page around it, in the colours of its theme. */
export type InkName = "paper" | "clear" | "page";

/** The colours for each place. */
export const inks: Readonly<Record<InkName, Ink>> = {
  paper: { text: "#1f2328", quiet: "#59636e", line: "#c7cdd4", paper: "#ffffff" },
  clear: { text: "#1f2328", quiet: "#59636e", line: "#c7cdd4", paper: undefined },
  page: {
    text: "var(--jp-attention-text)",
    quiet: "var(--jp-attention-quiet)",
    line: "var(--jp-attention-line)",
    paper: undefined,
  },
};

/** Strokes for lines side by side: colours that people with any colour vision tell apart (Okabe and Ito 2008), and dashes that print apart. */
export const strokes: readonly { readonly stroke: string; readonly dash: string | undefined }[] = [
  { stroke: "#0072b2", dash: undefined },
  { stroke: "#d55e00", dash: "6 3" },
  { stroke: "#009e73", dash: "2 2" },
  { stroke: "#cc79a7", dash: "8 3 2 3" },
  { stroke: "#56b4e9", dash: undefined },
  { stroke: "#e69f00", dash: "6 3" },
  { stroke: "#7f8790", dash: "2 2" },
];

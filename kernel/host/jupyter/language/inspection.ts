import ts from "typescript";
import { offsetOf } from "./codePoints.js";
import type { Project } from "./project.js";

/** The content of an `inspect_reply`. */
export interface Inspection {
  readonly found: boolean;
  readonly data: Record<string, string>;
}

const longestSource = 60;

/**
 * What is known about the name at the cursor, or just before it; inside an empty place of a call, about the function called.
 * Detail 1 adds the declaration's source, its first lines.
 */
export function inspectAt(project: Project, code: string, cursorCodePoints: number, detail: 0 | 1): Inspection {
  const cell = project.current(code);
  const cursor = offsetOf(code, cursorCodePoints);
  for (const offset of [cursor, cursor - 1].filter((each) => each >= 0)) {
    const position = cell.toText(offset);
    const info = project.service.getQuickInfoAtPosition(cell.path, position);
    const signature = plainSignature(ts.displayPartsToString(info?.displayParts));
    // A name that nothing declares has a type too, "any", but no kind.
    if (info === undefined || signature === "" || info.kind === ts.ScriptElementKind.unknown) continue;
    const notes = notesOf(info.documentation, info.tags);
    return bundle(signature, notes, detail === 1 ? sourceAt(project, cell.path, position) : undefined);
  }
  return signatureAround(project, cell.path, cell.toText(cursor));
}

/** Names of earlier cells are imports to the compiler, which a reader of the notebook need not know. */
function plainSignature(signature: string): string {
  return signature.replace(/^\(alias\) /, "").replace(/\nimport [^\n]*$/, "");
}

function signatureAround(project: Project, path: string, position: number): Inspection {
  const help = project.service.getSignatureHelpItems(path, position, undefined);
  const item = help?.items[help.selectedItemIndex];
  if (item === undefined) return { found: false, data: {} };
  const text = (parts: readonly ts.SymbolDisplayPart[]): string => ts.displayPartsToString([...parts]);
  const parameters = item.parameters
    .map(({ displayParts }) => text(displayParts))
    .join(text(item.separatorDisplayParts));
  const signature = text(item.prefixDisplayParts) + parameters + text(item.suffixDisplayParts);
  return bundle(signature, notesOf(item.documentation, item.tags), undefined);
}

function notesOf(
  documentation: readonly ts.SymbolDisplayPart[] | undefined,
  tags: readonly ts.JSDocTagInfo[] | undefined,
): string {
  const lines = (tags ?? []).map(({ name, text }) => `@${name} ${ts.displayPartsToString(text)}`.trim());
  return [ts.displayPartsToString([...(documentation ?? [])]), lines.join("\n")]
    .filter((part) => part !== "")
    .join("\n\n");
}

function sourceAt(project: Project, path: string, position: number): string | undefined {
  const [definition] = project.service.getDefinitionAtPosition(path, position) ?? [];
  const file = definition && project.service.getProgram()?.getSourceFile(definition.fileName);
  const span = definition?.contextSpan ?? definition?.textSpan;
  if (file === undefined || span === undefined) return undefined;
  const lines = file.text.slice(span.start, span.start + span.length).split("\n");
  return lines.length > longestSource ? [...lines.slice(0, longestSource), "…"].join("\n") : lines.join("\n");
}

function bundle(signature: string, notes: string, source: string | undefined): Inspection {
  const fenced = (text: string): string => `\`\`\`ts\n${text}\n\`\`\``;
  const markdown = [
    fenced(signature),
    notes.replaceAll("\n", "  \n"),
    ...(source === undefined ? [] : [fenced(source)]),
  ];
  const plain = [signature, notes, ...(source === undefined ? [] : [source])];
  const join = (parts: readonly string[]): string => parts.filter((part) => part !== "").join("\n\n");
  return { found: true, data: { "text/markdown": join(markdown), "text/plain": join(plain) } };
}

import { expect, it } from "vitest";
import { visibleToken } from "attention-lab/figure";

it.each([
  ["the", "the"],
  [" the", "␣the"],
  ["␣the", "␣the"],
  ["Ġthe", "␣the"],
  ["▁the", "␣the"],
  ["ĠĠ", "␣␣"],
  ["Ċ", "⏎"],
  [".ĊĊ", ".⏎⏎"],
  ["ĊĠĠ", "⏎··"],
  ["ĉ", "⇥"],
  ["\r\n\tx", "⏎⇥x"],
  ["a b", "a·b"],
  ["aĠb", "aĠb"],
  ["ĉu", "ĉu"],
  ["Ċikku", "Ċikku"],
  ["\u202Eevil", "�evil"],
  ["", "∅"],
])("a token %j is read as %j", (token, read) => expect(visibleToken(token)).toBe(read));

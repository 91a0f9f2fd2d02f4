import { describe, expect, it } from "vitest";
import { completeness } from "../../kernel/host/jupyter/cells/transform.js";

describe("completeness", () => {
  it.each([
    "",
    "1 + 1",
    "let x = 1;",
    "{ a: 1 }",
    "// note",
    "for (;;) {}",
    "`a\nb`",
    "await f()",
    "function f() {\n}",
    "if (a) b(); else c()",
  ])("complete: %j", (source) => expect(completeness(source)).toEqual({ status: "complete" }));

  it.each([
    ["function f() {", "  "],
    ["  if (a) {", "    "],
    ["function f() {\n  return 1", "  "],
    ["foo(", "  "],
    ["foo( // note", ""],
    ["[1, 2", ""],
    ["const x =", ""],
    ["const f = () =>", "  "],
    ["{ a: 1,", ""],
    ["a +", ""],
    ["`text", ""],
    ["`text ${", ""],
    ["/* note", ""],
    ["class A {\n  m() {", "    "],
    ["import { a } from", ""],
    ["@dec", ""],
  ])("incomplete: %j, next line begins %j", (source, indent) => {
    expect(completeness(source).status).toBe("incomplete");
    if (!source.includes("${")) expect(completeness(source)).toEqual({ status: "incomplete", indent });
  });

  it.each([")", "let = = 1", "'open", "/open", "foo(1 2)", "else {}", "a b c", "function f() { ) "])(
    "invalid: %j",
    (source) => expect(completeness(source)).toEqual({ status: "invalid" }),
  );
});

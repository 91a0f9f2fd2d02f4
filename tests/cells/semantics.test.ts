import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nodes, openSession, type Session } from "./session.js";

/** Cells in the order they run, each with its value as `util.inspect` writes it. */
type Row = readonly (readonly [cell: string, value: string])[];

const table: Readonly<Record<string, Row>> = {
  "a function sees what a later cell assigns": [
    ["let x = 1; function rd() { return x }", "undefined"],
    ["x = 5; rd()", "5"],
  ],
  "shorthand properties and destructuring assignment over earlier cells": [
    ["let y = 1, z = 2;", "undefined"],
    ["({ y, z })", "{ y: 1, z: 2 }"],
    ["({ y } = { y: 11 }); y", "11"],
    ["[y, z] = [z, y]; [y, z]", "[ 2, 11 ]"],
  ],
  "a name may be declared again in any way, and old functions see it": [
    ["const c = 1; function rc() { return c }", "undefined"],
    ["const c = 2; rc()", "2"],
    ["let c = 3; rc()", "3"],
    ["class c { static v = 4 }; rc().v", "4"],
    ["function c() { return 5 } rc()()", "5"],
    ["var c = 6; rc()", "6"],
    ["enum c { A = 7 } rc().A", "7"],
    ["namespace c { export const v = 8 } rc().v", "8"],
    ["import c from 'node:path'; rc().sep", "'/'"],
    ["import { sep as c } from 'node:path'; rc()", "'/'"],
    ["const [c] = [9]; rc()", "9"],
  ],
  "an import runs again with its cell": [
    ["import { sep } from 'node:path'; sep", "'/'"],
    ["import { sep } from 'node:path'; sep", "'/'"],
  ],
  "functions are hoisted, recursive, and named": [
    ["hoisted(); function hoisted() { return 1 }", "undefined"],
    ["hoisted()", "1"],
    ["function fac(n: number): number { return n < 2 ? 1 : n * fac(n - 1) } [fac.name, fac(5)]", "[ 'fac', 120 ]"],
    ["function over(a: string): string; function over(a: unknown) { return a } over('q')", "'q'"],
    ["function* gen() { yield 1; yield 2 } [...gen()]", "[ 1, 2 ]"],
    ["async function later() { return 3 } later()", "3"],
  ],
  "a function that is wrapped calls the wrapper when it recurs": [
    ["function down(n: number): number { return n === 0 ? 0 : down(n - 1) } let calls = 0;", "undefined"],
    ["const inner = down; down = (n: number) => { calls += 1; return inner(n) }; down(3); calls", "4"],
  ],
  "top-level await in every form": [
    ["const fetchy = async () => ({ json: async () => 7 }); await (await fetchy()).json()", "7"],
    ["await (async () => 8)()", "8"],
    ["await [9]", "[ 9 ]"],
    ["let sum = 0; for await (const v of [1, Promise.resolve(2)]) sum += v; sum", "3"],
    ["for await (const v of (async function* () { yield 1 })()) {}", "undefined"],
    ["const { a: { b: awaited } } = await Promise.resolve({ a: { b: 4 } }); awaited", "4"],
    ["`${await Promise.resolve('t')}`", "'t'"],
    ["(await Promise.resolve([1, 2])).map((v) => v * 2)", "[ 2, 4 ]"],
  ],
  "the last expression is the value, awaited": [
    ["Promise.resolve(4)", "4"],
    ["5;", "5"],
    ["5;;", "5"],
    ["let unseen = 5;", "undefined"],
    ["if (true) 5;", "undefined"],
    ["for (const v of [1]) v;", "undefined"],
    ["5; interface I {}", "undefined"],
    ["'use of a string'", "'use of a string'"],
    ["", "undefined"],
    ["// only a comment", "undefined"],
    ["interface Only {}", "undefined"],
    ["5 as number", "5"],
    ["unseen = 6", "6"],
    ["new Map([[1, 2]])", "Map(1) { 1 => 2 }"],
    ["10n", "10"],
  ],
  "a cell that is one object literal": [
    ["{ a: 1 }", "{ a: 1 }"],
    ["{}", "{}"],
    ["{ a: 1 };", "{ a: 1 }"],
    ["// before\n{ a: [1, { b: 2 }] } // after", "{ a: [ 1, { b: 2 } ] }"],
    ["{ f() { return 1 } }", "{ f: [Function: f] }"],
    ["{ let block = 1; block }", "undefined"],
  ],
  "enum, const enum, namespace": [
    ["enum Colour { Red, Green }\nColour.Green", "1"],
    ["Colour[0]", "'Red'"],
    ["const enum Inline { A = 4 }\nInline.A", "4"],
    ["namespace Space { export const q = 1; export namespace Inner { export const r = 2 } }\nSpace.Inner.r", "2"],
  ],
  decorators: [
    [
      "function tag(c: any, { name }: ClassDecoratorContext) { c.tag = name }\n@tag class Tagged {}\nTagged.tag",
      "'Tagged'",
    ],
    [
      "function twice(f: any) { return function (this: any, ...a: any[]) { return 2 * f.apply(this, a) } }\n" +
        "class M { @twice m() { return 21 } } new M().m()",
      "42",
    ],
    ["@tag class Tagged { v = 1 }; new Tagged().v", "1"],
  ],
  "private members, parameter properties, static blocks": [
    [
      "class P { #x = 4; static #n = 2; get() { return this.#x + P.#n } has(o: object) { return #x in o } }",
      "undefined",
    ],
    ["const p = new P(); [p.get(), p.has(p), p.has({})]", "[ 6, true, false ]"],
    [
      "class Q { constructor(readonly a: number, private b = 2) {} static { (this as any).s = 3 } } [new Q(1), (Q as any).s]",
      "[ Q { a: 1, b: 2 }, 3 ]",
    ],
  ],
  using: [
    ["const log: string[] = []; const res = (n: string) => ({ n, [Symbol.dispose]() { log.push(n) } });", "undefined"],
    ["{ using a = res('a'), b = res('b'); log.push('body') } log.splice(0)", "[ 'body', 'b', 'a' ]"],
    ["using top = res('top'); log.push('cell'); top.n", "'top'"],
    ["[log.splice(0), top.n]", "[ [ 'cell', 'top' ], 'top' ]"],
    [
      "await using slow = { async [Symbol.asyncDispose]() { log.push('slow') } }; function inUsingCell() { return 1 } let l = 3; l",
      "3",
    ],
    ["[log.splice(0), l, inUsingCell()]", "[ [ 'slow' ], 3, 1 ]"],
  ],
  "export is taken away": [
    ["export const ec = 1; export let el = 2, em = 3; ec + el + em", "6"],
    ["export function ef<T>(v: T): T { return v } ef(3)", "3"],
    ["export class EC {} export enum EE { A } export interface EI {} export type ET = 1; EC.name", "'EC'"],
    ["export default 5", "5"],
    ["export default function named() { return 6 }", "undefined"],
    ["named()", "6"],
    ["export { ec, el as other }; ec", "1"],
    ["export * from 'node:path'", "undefined"],
    ["export abstract class Base { abstract m(): void } typeof Base", "'function'"],
  ],
  "every import form": [
    ["import path, { sep as s1, join } from 'node:path'; [path.sep, s1, join('a', 'b')]", "[ '/', '/', 'a/b' ]"],
    ["import * as all from 'node:path'; all.sep", "'/'"],
    ["import dflt, * as rest from 'node:path'; dflt.sep + rest.sep", "'//'"],
    ["import { 'sep' as quoted } from 'node:path'; quoted", "'/'"],
    ["import type { Never } from 'no-such-package'", "undefined"],
    ["import { type Never2 } from 'no-such-package'", "undefined"],
    ["import { type Never3, sep as s3, PathLike } from 'node:path'; s3", "'/'"],
    ["import 'node:fs'", "undefined"],
    ["import fs = require('node:fs'); typeof fs.readFileSync", "'function'"],
    ["(await import('node:path')).sep", "'/'"],
    ["const lazy = () => import('node:path'); (await lazy()).sep", "'/'"],
  ],
  "var is hoisted, and may be declared anywhere": [
    ["for (var i = 0, j; i < 3; i++); [i, j]", "[ 3, undefined ]"],
    ["var { a: va, b: [vb = 4] = [], ...vr } = { a: 1, e: 5 } as any; [va, vb, vr]", "[ 1, 4, { e: 5 } ]"],
    ["for (var { k } of [{ k: 7 }]); k", "7"],
    ["for (var key in { first: 1 }); key", "'first'"],
    ["if (true) var inIf = 1; inIf", "1"],
    ["switch (1 as number) { case 1: var inCase = 2, without } [inCase, without]", "[ 2, undefined ]"],
    ["let i = 10; i", "10"],
    ["var both = 1; function both() {} both", "1"],
    ["declare global { var later: number } declare module 'x'; declare function nothing(): void; 2", "2"],
    ["(function () { var local = 1; return local })()", "1"],
    ["early = 3; var early: number; early", "3"],
    ["var f1 = () => 1, f2 = function () {}; [f1.name, f2.name]", "[ 'f1', 'f2' ]"],
  ],
  "labels, continue, generators, one-line bodies, do…while under guards": [
    ["let n1 = 0; outer: for (let a = 0; a < 3; a++) { for (;;) { n1++; continue outer } } n1", "3"],
    ["let n2 = 0; a: b: while (true) { n2++; if (n2 < 3) continue a; break b } n2", "3"],
    [
      "let n5 = 0; for (let a = 0; a < 300; a++) for (let b = 0; b < 2; b++) inner: while (true) { n5++; break inner } n5",
      "600",
    ],
    ["let n3 = 0; do n3++; while (n3 < 1000); n3", "1000"],
    ["let n4 = 0; if (n4 === 0) for (const v of [1, 2]) n4 += v; else n4 = -1; n4", "3"],
    [
      "function* count() { let v = 0; while (true) yield v++ } const got = []; for (const v of count()) { if (v > 600) break; got.push(v) } got.length",
      "601",
    ],
    ["const fs2 = []; for (let v = 0; v < 3; v++) fs2.push(() => v); fs2.map((f) => f())", "[ 0, 1, 2 ]"],
    ["const o = { m() { for (const v in { p: 1 }) return v } }; o.m()", "'p'"],
    ["block: { if (n1) break block; n1 = 9 } n1", "3"],
    ["for (let v = 0; v < 10; v++) { function inLoop() { return v } if (v === 9) n1 = inLoop() } n1", "9"],
  ],
  "strict mode, and globals stay themselves": [
    ["(function () { return this })()", "undefined"],
    ["this === globalThis", "true"],
    [
      "let process2 = process; const fetch = 5; [typeof process2.version, fetch, typeof globalThis.fetch]",
      "[ 'string', 5, 'function' ]",
    ],
    ["Object.keys(globalThis).filter((name) => name.startsWith('__cell'))", "[]"],
    ["typeof import.meta.dirname", "'string'"],
  ],
};

describe.each(nodes)("cells on $label", ({ path }) => {
  let session: Session;
  beforeAll(async () => void (session = await openSession(path)));
  afterAll(() => session.close());

  it.each(Object.entries(table))("%s", async (_name, row) => {
    for (const [cell, value] of row) expect(`${cell} → ${await session.value(cell)}`).toBe(`${cell} → ${value}`);
  });

  it("keeps the names that a failing cell had declared, and lets the others be declared again", async () => {
    expect(
      await session.error("let q1 = 1; function q3() { return q1 } throw new Error('mid'); let q2 = 2"),
    ).toMatchObject({
      ename: "Error",
      evalue: "mid",
    });
    expect(await session.value("[q1, q3()]")).toBe("[ 1, 1 ]");
    expect(await session.error("q2")).toMatchObject({ ename: "ReferenceError" });
    expect(await session.value("let q2 = 3; q2")).toBe("3");
  });

  it("refuses undeclared names, missing exports and rejected last values", async () => {
    expect((await session.error("notDeclared = 4")).evalue).toBe("notDeclared is not defined");
    expect((await session.error("import { sepp } from 'node:path'")).evalue).toMatch(
      /^import: "node:path" has no export "sepp"; did you mean "sep"\?; known: /,
    );
    expect((await session.error("import { Sep } from 'node:path'; Sep")).evalue).toContain('did you mean "sep"?');
    expect((await session.error("Promise.reject(new RangeError('no'))")).ename).toBe("RangeError");
  });
});

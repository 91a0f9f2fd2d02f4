/** A few cells, run one after another in a kernel that has run the cases above them. */
export interface Case {
  readonly cells: readonly string[];
  /** Why the two kernels differ; absent where they agree. */
  readonly differs?: { readonly why: string; readonly isBetter: boolean };
}

const better = (why: string): Case["differs"] & {} => ({ why, isBetter: true });
const otherwise = (why: string): Case["differs"] & {} => ({ why, isBetter: false });

const oneVariable = better("a name is one variable, not a copy per cell");
const parser = better("`await` may stand anywhere in a cell");
const newCompiler = better("TypeScript 6.0 and its library instead of 5.0 and ES2022");
const advisory = otherwise("type errors are told and never block, unless the cell begins with `// @check`");
const early = otherwise("found when the cell runs; the message names what there is");

/** Cells by what they are about. */
export const corpus: Readonly<Record<string, readonly Case[]>> = {
  semantics: [
    { cells: ["1 + 1"] },
    { cells: ["let a1 = 3;", "a1 * 2"] },
    { cells: ["const a2 = [1, 2, 3]; a2.map((x) => x * x)"] },
    { cells: ["let a3: number = 1", "let a3: string = 'x'", "a3.length"] },
    { cells: ["const a4 = 1", "const a4 = 2", "a4"] },
    {
      cells: ["function f5(x: number) { return x + 1 }", "f5(1)", "function f5(x: number) { return x + 10 }", "f5(1)"],
    },
    { cells: ["class A6 { constructor(readonly n: number) {} twice() { return 2 * this.n } }", "new A6(4).twice()"] },
    { cells: ["interface P7 { x: number }", "const p7: P7 = { x: 1 }; p7.x"] },
    { cells: ["type Id8 = string | number", "const i8: Id8 = 3; i8"] },
    { cells: ["enum Colour9 { Red, Green }", "Colour9.Green"] },
    { cells: ["namespace N10 { export const k = 5 }", "N10.k"] },
    { cells: ["const { x: x11, ...rest11 } = { x: 1, y: 2, z: 3 }", "[x11, rest11.y + rest11.z]"] },
    { cells: ["let x12 = 1; function rd12() { return x12 }", "x12 = 5; rd12()"], differs: oneVariable },
    { cells: ["let c13 = 0; function up13() { return ++c13 }", "c13 = 100; up13()"], differs: oneVariable },
    { cells: ["let y14 = 1", "({ y14 })"], differs: oneVariable },
    { cells: ["let x15 = 1", "({ x15 } = { x15: 11 }); x15"], differs: oneVariable },
    {
      cells: ["const kept16 = 7; throw new Error('after')", "kept16"],
      differs: better("a cell that fails keeps the names that it had declared"),
    },
    { cells: ["var v17 = 1", "var v17 = v17 === undefined ? 17 : -17; v17"] },
    { cells: ["const t18 = await Promise.resolve(18); t18"] },
    { cells: ["(await Promise.resolve({ n: 19 })).n"] },
    { cells: ["await (await (async () => ({ json: async () => 20 }))()).json()"], differs: parser },
    { cells: ["await (async () => 21)()"], differs: parser },
    { cells: ["await [22][0]"], differs: parser },
    { cells: ["for await (const x of [23]) console.log(x)"], differs: parser },
    { cells: ["Promise.resolve(24)"], differs: otherwise("the last expression is awaited") },
    { cells: ["for (const x of [1, 2]) console.log(x)"] },
    { cells: ["if (true) { 26 }"] },
    { cells: ["27;"] },
    { cells: ["const a28 = 28"] },
    { cells: ["undefined"] },
    { cells: ["null"], differs: better("`null` is a value; `undefined` alone shows nothing") },
    { cells: ["class S31 { #n = 31; get() { return this.#n } } new S31().get()"] },
    {
      cells: ["export const e32 = 32", "e32"],
      differs: better("a cell may export, for those who paste from a module"),
    },
    { cells: ["{ using d33 = { [Symbol.dispose]() { console.log('disposed') } } }"], differs: newCompiler },
    { cells: ["[3, 1, 2].toSorted()"], differs: newCompiler },
    { cells: ["Object.groupBy([1, 2, 3], (n) => (n % 2 ? 'odd' : 'even')).odd"], differs: newCompiler },
    { cells: ["new Set([1, 2]).union(new Set([3])).size"], differs: newCompiler },
    { cells: ["Promise.withResolvers().promise instanceof Promise"], differs: newCompiler },
    { cells: ["const g38 = <T,>(x: T): T => x; g38(38)"] },
    { cells: ["let o39: { a?: { b: number } } = {}; o39.a?.b ?? 39"] },
    { cells: ["const s40 = { k: 40 } satisfies Record<string, number>; s40.k"] },
    { cells: ["function* gen41() { yield 1; yield 2 }", "[...gen41()]"] },
    { cells: ["10n ** 20n"] },
    { cells: ["{ let inner43 = 1 } console.log(typeof inner43)"], differs: advisory },
    { cells: ["let let44 = 1; let44 = 2; let44"] },
    { cells: ["globalThis.g45 = 45; (globalThis as any).g45"] },
    { cells: ["console.log(typeof exports)"], differs: otherwise("a cell is no CommonJS module") },
    { cells: ["console.log(typeof require)"] },
    { cells: ["this === undefined"] },
    {
      cells: ["function d49(target: Function) { return target } @d49 class D49 {}", "new D49() instanceof D49"],
      differs: advisory,
    },
  ],
  output: [
    { cells: ["console.log('a', 1, { b: [2] })"] },
    { cells: ["console.error('to stderr')"] },
    { cells: ["process.stdout.write('no newline')"] },
    {
      cells: ["'text'"],
      differs: otherwise("a string as a value keeps its quotes: the text 1 and the number 1 differ"),
    },
    { cells: ["({ a: 1, b: { c: [1, 2] } })"] },
    { cells: ["new Map([['k', 1]])"] },
    { cells: ["new Float32Array([1, 2.5])"] },
    { cells: ["[new Date(0)]"] },
    { cells: ["Symbol('s')"] },
    { cells: ["(x: number) => x"], differs: otherwise("a function without a name has none") },
    { cells: ["console.log('first'); 2"] },
    { cells: ["console.table([{ a: 1 }])"] },
    {
      cells: ["for (let i = 0; i < 2000; i++) console.log(i)"],
      differs: better("every line arrives: output waits its turn where tslab's socket drops it"),
    },
    { cells: ["import * as tslab from 'tslab'; tslab.display.html('<b>x</b>')"] },
    { cells: ["tslab.display.markdown('# m'); tslab.display.latex('$x$'); tslab.display.text('t')"] },
    { cells: ["tslab.display.svg('<svg></svg>'); tslab.display.javascript('1')"] },
    { cells: ["tslab.display.png(new Uint8Array([1, 2, 3])); tslab.display.jpeg(Buffer.from('abc'))"] },
    { cells: ["tslab.display.gif(new Uint8Array([4])); tslab.display.pdf(new Uint8Array([5]).subarray(0, 1))"] },
    { cells: ["tslab.display.raw('application/x-own', 'r'); tslab.display.raw('image/png', new Uint8Array([9]))"] },
    { cells: ["console.log('before'); tslab.display.text('between'); console.log('after')"] },
    { cells: ["const d70 = tslab.newDisplay(); d70.text('one'); d70.text('two')", "d70.html('<i>three</i>')"] },
    {
      cells: [
        "const [p71, q71] = [tslab.newDisplay(), tslab.newDisplay()]; p71.text('p'); q71.text('q'); p71.text('p2')",
      ],
    },
    { cells: ["import { display, newDisplay } from 'tslab'; display.text('named'); newDisplay.length"] },
    { cells: ["import { Display } from 'tslab'; const show73: Display = tslab.display; show73.text('typed')"] },
    { cells: ["Object.keys(tslab.versions)"] },
    { cells: ["tslab.versions.tslab === '1.0.22' && tslab.versions.node === process.version"] },
    { cells: ["const req76 = require('tslab'); req76.display.text('required')"] },
    {
      cells: ["const dyn77 = await import('tslab'); dyn77.display.text('imported')"],
      differs: better("cells are not compiled with declarations, so every type may be inferred"),
    },
    {
      cells: ["({ [Symbol.for('Jupyter.display')]: () => ({ 'text/html': '<b>own</b>' }) })"],
      differs: better("values show themselves"),
    },
  ],
  errors: [
    { cells: ["throw new Error('thrown')"] },
    { cells: ["throw 'a string'"], differs: otherwise("a thrown value that is no error says so") },
    { cells: ["await Promise.reject(new TypeError('rejected'))"] },
    { cells: ["null.x"], differs: advisory },
    { cells: ["unknown84"], differs: advisory },
    { cells: ["let n85: number = 'x'; n85"], differs: advisory },
    {
      cells: ["// @check\nlet n86: number = 'x'"],
      differs: otherwise("the lines with all type errors follow in the traceback"),
    },
    { cells: ["let = 5 +"], differs: otherwise("a syntax error is told alone") },
    { cells: ["console.log('shown'); throw new RangeError('then')"] },
    { cells: ["class Own89 extends Error { name = 'Own89' } throw new Own89('own')"] },
    { cells: ["new Error('as a value').message.length"] },
    { cells: ["try { throw new Error('x') } catch (e) { console.log('caught') } finally { console.log('finally') }"] },
    {
      cells: ["setTimeout(() => { throw new Error('late') }, 1); await new Promise((r) => setTimeout(r, 30)); 92"],
      differs: otherwise("the error as it is, with the lines of the cell"),
    },
  ],
  imports: [
    { cells: ["import fs from 'fs'; fs.readFileSync.length"] },
    { cells: ["import * as path from 'path'; path.basename('/a/b').length"] },
    { cells: ["import { join } from 'node:path'; join('a', 'b').length"] },
    { cells: ["import { double } from './helper'; double(21)"] },
    { cells: ["import theDefault from './helper'; theDefault.length"] },
    {
      cells: [
        "import { type Point, Counter } from './helper'; const p98: Point = { x: 1 }; new Counter().count + p98.x",
      ],
    },
    { cells: ["import type { Point as Point99 } from './helper'; const p99: Point99 = { x: 2 }; p99.x"] },
    { cells: ["import { double as twice } from './helper.js'; twice(2)"] },
    { cells: ["import data101 from './data.json'; data101.answer"] },
    { cells: ["import data102 from './data.json' with { type: 'json' }; data102.answer"], differs: newCompiler },
    { cells: ["const os103 = await import('os'); os103.cpus().length > 0"] },
    { cells: ["const path104 = require('path'); path104.sep.length"] },
    { cells: ["import 'fs'"] },
    { cells: ["import ts from 'typescript'; ts.version.length > 0"] },
    { cells: ["import { missing107 } from './helper'; missing107"], differs: early },
    { cells: ["import x108 from './nowhere'; x108"], differs: early },
    {
      cells: ["import { Tokenizer } from '@huggingface/tokenizers'; Tokenizer.length > 0"],
    },
  ],
};

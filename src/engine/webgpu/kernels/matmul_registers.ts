/**
 * Matrix product for software adapters: each thread keeps a tile of the result in registers and reads
 * its operands straight from memory, four values at a time where sizes allow.
 */
import { COMPONENT, each, floatType, listOf, storage, uniforms } from "./wgsl.ts";

/** What the program is written for; sizes come in the uniform block. */
export interface RegisterMatmulShape {
  /** A is stored `[K, M]`. */
  transposeA: boolean;
  /** B is stored `[N, K]`. */
  transposeB: boolean;
  /** M, N and K are multiples of 4. */
  fours: { m: boolean; n: boolean; k: boolean };
  /** Rows of a thread's tile. */
  rows: number;
  /** Columns of a thread's tile, a multiple of 4 where `fours.n`. */
  columns: number;
}

/** Threads in a workgroup: the lanes of an 8-wide SIMD unit. */
export const REGISTER_THREADS = 8;

/** Fields of the uniform block, in order. */
const REGISTER_FIELDS = [
  "M",
  "N",
  "K",
  /** Terms in a part of the sum. */
  "depth",
  "tilesM",
  "tilesN",
  /** Tiles from one row (column) of tiles to the next: 1 and `tilesM`, or `tilesN` and 1. */
  "stepM",
  "stepN",
  "parts",
  /** Numbers from one matrix of a batch to the next. */
  "strideA",
  "strideB",
];

/** The program. Dispatch: x over tiles, z over `batch * parts + part`. Output: `[parts, batch, M, N]`. */
export function registerMatmulCode(shape: RegisterMatmulShape): string {
  const { transposeA, transposeB, fours, rows, columns } = shape;
  const widthA = (transposeA ? fours.m : fours.k) ? 4 : 1;
  const widthB = (transposeB ? fours.k : fours.n) ? 4 : 1;
  const widthC = fours.n ? 4 : 1;
  // Where both operands are read across the sum one term at a time is best: the loop's code fits the
  // cache of instructions.
  const step = fours.k && (!transposeA || transposeB) ? 4 : 1;
  const vectors = columns / widthC;
  const float = floatType(widthC);
  const acc = (i: number, j: number) => `c${i}_${j}`;

  const rowIndex = (i: number) => `min(m0 + ${i}u, u.M - 1u)`;
  const columnIndex = (c: number) => `min(n0 + ${c}u, u.N - 1u)`;
  const setup = [
    transposeA ? "" : each(rows, (i) => `let rowA${i} = baseA + ${rowIndex(i)} * u.K;`),
    transposeA && widthA === 4
      ? each(rows / 4, (g) => `let rowA${g} = baseA + min(m0 + ${4 * g}u, u.M - 4u);`)
      : "",
    transposeA && widthA === 1 ? each(rows, (i) => `let rowA${i} = baseA + ${rowIndex(i)};`) : "",
    transposeB ? each(columns, (c) => `let rowB${c} = baseB + ${columnIndex(c)} * u.K;`) : "",
    transposeB
      ? ""
      : each(vectors, (j) => `let rowB${j} = baseB + min(n0 + ${j * widthC}u, u.N - ${widthC}u);`),
  ].join("\n");

  /** Loads what step `q` of the inner loop needs of A; returns the name of A[i] there. */
  const loadA = (q: number): string => {
    if (!transposeA) {
      if (q > 0) return "";
      return each(rows, (i) => `let a${i} = A[(rowA${i} + k) / ${widthA}u];`);
    }
    const count = widthA === 4 ? rows / 4 : rows;
    return each(count, (g) => `let a${q}_${g} = A[(rowA${g} + (k + ${q}u) * u.M) / ${widthA}u];`);
  };
  const valueA = (i: number, q: number): string => {
    if (!transposeA) return step === 4 ? `a${i}.${COMPONENT[q]}` : `a${i}`;
    return widthA === 4 ? `a${q}_${i >> 2}.${COMPONENT[i & 3]}` : `a${q}_${i}`;
  };
  const loadB = (q: number): string => {
    if (transposeB) {
      if (q > 0) return "";
      return each(columns, (c) => `let b${c} = B[(rowB${c} + k) / ${widthB}u];`);
    }
    return each(vectors, (j) => `let b${q}_${j} = B[(rowB${j} + (k + ${q}u) * u.N) / ${widthB}u];`);
  };
  const valueB = (j: number, q: number): string => {
    if (!transposeB) return `b${q}_${j}`;
    const of = (c: number) => step === 4 ? `b${c}.${COMPONENT[q]}` : `b${c}`;
    return widthC === 4 ? `vec4<f32>(${listOf(4, (c) => of(4 * j + c)).join(", ")})` : of(j);
  };
  const dotProducts = (i: number, j: number) =>
    widthC === 4
      ? `vec4<f32>(${listOf(4, (c) => `dot(a${i}, b${4 * j + c})`).join(", ")})`
      : `dot(a${i}, b${j})`;
  const useDots = transposeB && !transposeA && step === 4;
  const inner = useDots
    ? [
      loadA(0),
      loadB(0),
      each(rows, (i) => each(vectors, (j) => `${acc(i, j)} += ${dotProducts(i, j)};`)),
    ]
    : [
      // All terms of one accumulator together: with more of them than registers, each is loaded and
      // stored once a step instead of four times.
      ...listOf(step, (q) => loadA(q)),
      ...listOf(step, (q) => loadB(q)),
      each(rows, (i) =>
        each(vectors, (j) => {
          const terms = listOf(step, (q) => `${valueA(i, q)} * ${valueB(j, q)}`);
          return `${acc(i, j)} += ${terms.join(" + ")};`;
        })),
    ];

  return `
${storage({ A: floatType(widthA), B: floatType(widthB) }, { C: float })}
${uniforms(REGISTER_FIELDS, 3)}
@compute @workgroup_size(${REGISTER_THREADS})
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  if (id.x >= u.tilesM * u.tilesN) { return; }
  let n0 = (id.x / u.stepN % u.tilesN) * ${columns}u;
  let m0 = (id.x / u.stepM % u.tilesM) * ${rows}u;
  let batch = id.z / u.parts;
  let part = id.z % u.parts;
  let baseA = batch * u.strideA;
  let baseB = batch * u.strideB;
  ${setup}
  ${each(rows, (i) => each(vectors, (j) => `var ${acc(i, j)} = ${float}(0.0);`))}
  for (var k = part * u.depth; k < min(u.K, (part + 1u) * u.depth); k += ${step}u) {
    ${inner.join("\n")}
  }
  let batches = groups.z / u.parts;
  let out = (part * batches + batch) * u.M * u.N;
  ${
    each(rows, (i) =>
      `if (m0 + ${i}u < u.M) {
${
        each(vectors, (j) =>
          `if (n0 + ${j * widthC}u < u.N) { C[(out + (m0 + ${i}u) * u.N + n0 + ${
            j * widthC
          }u) / ${widthC}u] = ${acc(i, j)}; }`)
      }
}`)
  }
}`;
}

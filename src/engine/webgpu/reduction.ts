/**
 * Reductions: sums, means and maxima of an expression's elements over one axis of
 * `[outer, reduced, inner]`. The expression may be a tensor's own elements or what fusion.ts has
 * joined to it. Long axes are reduced in parts first.
 */
import { expressionLabel } from "./elementwise.ts";
import { expressionCode, loadsByFour } from "./expression_code.ts";
import {
  type ProgramContext,
  type ProgramMember,
  type ProgramTarget,
  programThreads,
} from "./expression_program.ts";
import { MAX_PARTS } from "./tuning.ts";
import type { Combination, ReductionWork } from "./work.ts";

/** Fours beside each other that threads of a workgroup take: 4 of them are two sectors of memory. */
const MAX_BESIDE = 4;
/** Steps of a thread, where threads could share a result instead. */
const MIN_STEPS = 4;

const START = { sum: 0, max: -Infinity, min: Infinity };

/** WGSL of `a` and `b` combined; maxima and minima keep a NaN. */
function combined(combine: Combination, a: string, b: string, float: string): string {
  if (combine === "sum") return `${a} + ${b}`;
  return `${nanKeeper(float)}(${combine}(${a}, ${b}), ${a}, ${b})`;
}

function nanKeeper(float: string): string {
  return float === "f32" ? "keep_nan_one" : "keep_nan_four";
}

function nanFunction(float: string): string {
  const bits = float.replace("f32", "u32");
  const isNan = (x: string) =>
    `((bitcast<${bits}>(${x}) & ${bits}(0x7fffffffu)) > ${bits}(0x7f800000u))`;
  return `fn ${nanKeeper(float)}(best: ${float}, a: ${float}, b: ${float}) -> ${float} {
  return select(best, a + b, ${isNan("a")} | ${isNan("b")});
}`;
}

/** How a reduction is cut up for threads. */
interface Layout {
  /** Elements that a thread takes at once, side by side. */
  width: 1 | 4;
  /** Steps along the axis, and results side by side below it, in units of `width`. */
  length: number;
  lanes: number;
  /** Threads that share a result. */
  together: number;
}

/** What the shape of a reduction asks for. */
function layoutOf(
  target: ProgramTarget,
  { reduced, inner }: Pick<ReductionWork, "reduced" | "inner">,
  parts = 1,
): Layout {
  const isRow = inner === 1;
  const width = (isRow ? reduced : inner) % 4 === 0 ? 4 : 1;
  const length = isRow ? reduced / width : reduced;
  const lanes = isRow ? 1 : inner / width;
  if (target.tuning.family === "registers") {
    return { width, length, lanes, together: 1 };
  }
  // A GPU's threads share results: along the axis, but beside each other for what lies side by side.
  const beside = Math.min(MAX_BESIDE, powerOfTwo(lanes));
  const steps = Math.floor(length / parts / MIN_STEPS);
  const together = Math.min(programThreads(target) / beside, powerOfTwo(Math.max(1, steps)));
  return { width, length, lanes, together };
}

/** The largest power of 2 up to `value`. */
function powerOfTwo(value: number): number {
  return 2 ** Math.floor(Math.log2(value));
}

/** Into how many parts to reduce, so that there are threads enough. */
export function chooseParts(
  target: ProgramTarget,
  shape: Pick<ReductionWork, "outer" | "reduced" | "inner">,
): number {
  const { targetThreads, family } = target.tuning;
  const { length, lanes, together } = layoutOf(target, shape);
  const minSteps = family === "registers" ? 16 : MIN_STEPS * together;
  let parts = 1;
  while (
    shape.outer * lanes * together * parts < targetThreads && length / parts >= 2 * minSteps &&
    parts < MAX_PARTS
  ) {
    parts *= 2;
  }
  return parts;
}

/** A reduction as part of a program. */
export function reductionMember(
  target: ProgramTarget,
  work: ReductionWork,
  context: ProgramContext,
): ProgramMember {
  const { outer, parts, combine } = work;
  const { prefix, integers, floats } = context;
  const threads = programThreads(target);
  const { length, lanes, together, width } = layoutOf(target, work, parts);
  const loads = width === 4 ? loadsByFour(work) : undefined;
  const integer = (value: number) => `u.i${integers.push(value) - 1}`;
  const float = (value: number) => `u.f${floats.push(value) - 1}`;
  const results = integer(outer * parts * lanes);
  const beside = integer(lanes); // results beside each other
  const partCount = integer(parts);
  const steps = integer(length); // along the axis
  const depth = integer(Math.ceil(length / parts)); // of a part
  const start = float(START[combine]);
  const divisor = float(work.divisor);

  const type = loads ? "vec4<f32>" : "f32";
  const isRow = work.inner === 1;
  const resultType = isRow ? "f32" : type;
  const code = expressionCode(work, { ...context, loads, isolated: true });
  const value = "node" in work.value ? `v${work.value.node}` : `a${work.value.operand}`;
  const both = (a: string, b: string, float: string) => combined(combine, a, b, float);
  const collapse = isRow && loads
    ? both(`(${both("sum.x", "sum.y", "f32")})`, `(${both("sum.z", "sum.w", "f32")})`, "f32")
    : "sum";
  const keepers = combine === "sum" ? [] : [type, resultType].map(nanFunction);
  const isShared = together > 1;
  const memory = resultType === "f32" ? "shared_ones" : "shared_fours";
  const output = `${prefix}result`;
  // Neighboring threads read what lies side by side.
  const apart = threads / together;
  const share = isRow ? `local % ${together}u` : `local / ${apart}u`;
  const own = isRow ? `local / ${together}u` : `local % ${apart}u`;
  const other = isRow ? "half" : `half * ${apart}u`;
  const finish = isShared
    ? `${memory}[local] = ${collapse};
  for (var half = ${together / 2}u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (share < half) {
      ${memory}[local] = ${both(`${memory}[local]`, `${memory}[local + ${other}]`, resultType)};
    }
  }
  if (share == 0u && t < ${results}) { ${output}[t] = ${memory}[local] / ${divisor}; }`
    : `if (t < ${results}) { ${output}[t] = (${collapse}) / ${divisor}; }`;
  return {
    label: `${combine}${work.nodes.length > 0 ? ` of ${expressionLabel(work)}` : ""}`,
    groups: Math.ceil(outer * parts * lanes / apart),
    declarations: code.declarations,
    shared: [
      ...code.functions,
      ...keepers,
      ...(isShared ? [`var<workgroup> ${memory}: array<${resultType}, ${threads}>;`] : []),
    ],
    reads: code.reads,
    outputs: [{ name: output, type: resultType, buffer: work.output }],
    statements: `let share = ${share};
  let t = group * ${apart}u + ${own};
  let part = t / ${beside} % ${partCount};
  let base = (t / (${beside} * ${partCount})) * ${steps};
  let lane = t % ${beside};
  let end = select(0u, min(${steps}, (part + 1u) * ${depth}), t < ${results});
  var sum = ${type}(${start});
  ${code.setup}
  for (var r = part * ${depth} + share; r < end; r += ${together}u) {
    let q = (base + r) * ${beside} + lane;
    ${code.body}
    sum = ${both("sum", value, type)};
  }
  ${finish}`,
  };
}

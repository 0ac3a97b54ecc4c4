/**
 * Elementwise kernels: an expression over tensors becomes one WGSL program. A single TensorFlow.js
 * operation is an expression of one node.
 */
import type { GanforgeWebGpuBackend } from "./backend.ts";
import type { Dispatch } from "./backend_types.ts";
import { type Expression, nodeType } from "./expression.ts";
import { expressionCode, loadsByFour } from "./expression_code.ts";
import type { KernelTuning } from "./tuning.ts";
import { packScalars } from "./uniforms.ts";

/** An expression whose results are stored. */
export interface ElementwiseWork extends Expression {
  /** Which nodes are stored, and where. */
  outputs: { node: number; buffer: GPUBuffer }[];
}

/** Threads in a workgroup. */
const THREADS = 64;
/** Workgroups along x; more go along y. */
const MAX_ROW = 32768;

/**
 * The dispatch that computes an expression graph.
 * @param inPlace operands whose buffer an output takes over: output's index -> operand's index
 */
export function elementwiseDispatch(
  backend: GanforgeWebGpuBackend,
  work: ElementwiseWork,
  inPlace: Map<number, number> = new Map(),
): Dispatch {
  const loads = loadsByFour(work);
  const width = loads ? 4 : 1;
  const perThread = elementsPerThread(backend.tuning, work.size / width);
  const integers: number[] = [work.size / width, perThread];
  const floats: number[] = [];
  const overwritten = new Map([...inPlace].map(([output, operand]) => [operand, `out${output}`]));
  const code = expressionCode(work, { loads, integers, floats, aliases: overwritten });
  const stored = work.outputs.map(({ node }, o) => {
    const type = width === 4 ? `vec4<${nodeType(work, node)}>` : nodeType(work, node);
    return {
      declaration: `@group(0) @binding(${code.reads.length + o}) ` +
        `var<storage, read_write> out${o}: array<${type}>;`,
      statement: `out${o}[q] = v${node};`,
    };
  });
  const text = `
${uniformBlock(integers, floats, code.reads.length + stored.length)}
${code.declarations}
${stored.map(({ declaration }) => declaration).join("\n")}
@compute @workgroup_size(${THREADS})
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let first = (id.y * (groups.x * ${THREADS}u) + id.x) * u.i1;
  if (first >= u.i0) { return; }
  ${code.setup}
  for (var q = first; q < min(first + u.i1, u.i0); q++) {
    ${code.body}
    ${stored.map(({ statement }) => statement).join("\n    ")}
  }
}`;
  const label = labelOf(work);
  return {
    label,
    pipeline: backend.pipeline(label, text),
    reads: code.reads,
    writes: work.outputs.map(({ buffer }) => buffer),
    uniforms: packScalars(integers, floats),
    workgroups: spread(Math.ceil(work.size / width / perThread / THREADS)),
  };
}

/**
 * How many elements (or fours of them) a thread computes one after another, so that it loads scalars
 * once for all of them; few enough to leave threads for every core.
 */
function elementsPerThread(
  { mostElements, enoughThreads }: KernelTuning,
  elements: number,
): number {
  return Math.max(1, Math.min(mostElements, Math.floor(elements / (4 * enoughThreads))));
}

/** The functions of an expression, for profiles. */
export function labelOf({ nodes }: Expression): string {
  return nodes.length === 1 ? nodes[0].op : `fused(${nodes.map(({ op }) => op).join(" ")})`;
}

/** Workgroups in rows, so that no dimension passes what WebGPU allows. */
export function spread(groups: number): [number, number, number] {
  const rows = Math.ceil(groups / MAX_ROW);
  return [Math.ceil(groups / rows), rows, 1];
}

/** Declares the uniform block `u` with the fields i0, i1, ... and f0, f1, ... */
export function uniformBlock(integers: number[], floats: number[], binding: number): string {
  const fields = [...integers.map((_, k) => `i${k}: u32`), ...floats.map((_, k) => `f${k}: f32`)];
  return `struct Uniforms { ${fields.join(", ")} };
@group(0) @binding(${binding}) var<uniform> u: Uniforms;`;
}

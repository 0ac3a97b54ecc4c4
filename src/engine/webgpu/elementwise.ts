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

/** One of the expressions that a dispatch computes. */
export interface ElementwiseMember {
  /** The expression, and where its results go. */
  work: ElementwiseWork;
  /** Operands whose buffer an output takes over: output's index -> operand's index. */
  inPlace?: Map<number, number>;
}

/**
 * The dispatch that computes expressions which do not need each other's results: workgroups are dealt
 * out to them in turn. An optimiser's update of many parameters is one dispatch, where on a GPU a
 * small one takes longer to start than to run.
 */
export function elementwiseDispatch(
  backend: GanforgeWebGpuBackend,
  members: ElementwiseMember[],
): Dispatch {
  const integers: number[] = [];
  const floats: number[] = [];
  let bindings = 0;
  const codes = members.map((member, m) => {
    const code = memberCode(backend, member, {
      index: m,
      firstBinding: bindings,
      integers,
      floats,
    });
    bindings += code.reads.length;
    return code;
  });
  let groups = 0;
  const calls = codes.map((code, m) => {
    const call = `member${m}((group - ${groups}u) * ${THREADS}u + local);`;
    groups += code.groups;
    return m < codes.length - 1 ? `if (group < ${groups}u) { ${call} return; }` : call;
  });
  const outputs = codes.flatMap((code) => code.outputs);
  const text = `
${uniformBlock(integers, floats, bindings + outputs.length)}
${[...new Set(codes.map(({ functions }) => functions))].join("")}
${
    outputs.map(({ name, type }, o) =>
      `@group(0) @binding(${bindings + o}) var<storage, read_write> ${name}: array<${type}>;`
    ).join("\n")
  }
${codes.map(({ text }) => text).join("\n")}
@compute @workgroup_size(${THREADS})
fn main(
  @builtin(workgroup_id) id: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let group = id.y * groups.x + id.x;
  ${calls.join("\n  ")}
}`;
  const label = members.map(({ work }) => labelOf(work)).join(", ");
  return {
    label,
    pipeline: backend.pipeline(label, text),
    reads: codes.flatMap(({ reads }) => reads),
    writes: members.flatMap(({ work }) => work.outputs.map(({ buffer }) => buffer)),
    uniforms: packScalars(integers, floats),
    workgroups: spread(groups),
  };
}

/** The function of one member, and what it binds. */
function memberCode(
  backend: GanforgeWebGpuBackend,
  { work, inPlace = new Map() }: ElementwiseMember,
  { index, firstBinding, integers, floats }: {
    index: number;
    firstBinding: number;
    integers: number[];
    floats: number[];
  },
): {
  text: string;
  functions: string;
  reads: GPUBuffer[];
  outputs: { name: string; type: string }[];
  groups: number;
} {
  const prefix = `m${index}_`;
  const loads = loadsByFour(work);
  const width = loads ? 4 : 1;
  const perThread = elementsPerThread(backend.tuning, work.size / width);
  const size = `u.i${integers.push(work.size / width) - 1}`;
  const each = `u.i${integers.push(perThread) - 1}`;
  const aliases = new Map(
    [...inPlace].map(([output, operand]) => [operand, `${prefix}out${output}`]),
  );
  const code = expressionCode(work, { loads, integers, floats, aliases, prefix, firstBinding });
  const outputs = work.outputs.map(({ node }, o) => {
    const type = nodeType(work, node);
    return { name: `${prefix}out${o}`, type: width === 4 ? `vec4<${type}>` : type };
  });
  const stores = work.outputs.map(({ node }, o) => `${prefix}out${o}[q] = v${node};`);
  const text = `
${code.declarations}
fn member${index}(thread: u32) {
  let first = thread * ${each};
  if (first >= ${size}) { return; }
  ${code.setup}
  for (var q = first; q < min(first + ${each}, ${size}); q++) {
    ${code.body}
    ${stores.join("\n    ")}
  }
}`;
  const groups = Math.ceil(work.size / width / perThread / THREADS);
  return { text, functions: code.functions, reads: code.reads, outputs, groups };
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

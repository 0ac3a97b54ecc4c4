/**
 * Programs of expressions: elementwise work and reductions, one or several in a dispatch. Several must
 * not need each other's results; workgroups are dealt out to them in turn. An optimizer's update of
 * many parameters is one dispatch, where on a GPU a small one takes longer to start than to run.
 */
import type { KernelTuning } from "./tuning.ts";
import { packScalars } from "./uniforms.ts";
import type { Dispatch } from "./work.ts";
import { spread } from "./workgroups.ts";

/** What programs are written for: the backend, or a stand-in of it. */
export interface ProgramTarget {
  /** Sizes of tiles and workgroups. */
  readonly tuning: KernelTuning;
  /** Compiles a WGSL module with the entry point `main`, once for each text. */
  pipeline(label: string, code: string): GPUComputePipeline;
}

/** One of the expressions of a program. */
export interface ProgramMember {
  /** For profiles. */
  label: string;
  /** Its workgroups. */
  groups: number;
  /** What it needs outside functions: bindings, and functions of its own. */
  declarations: string;
  /** What a program needs once, whichever members ask for it. */
  shared: string[];
  /** The buffers that it reads, in the order of its bindings. */
  reads: GPUBuffer[];
  /** What it writes: the name and element type of a binding, and the buffer. */
  outputs: { name: string; type: string; buffer: GPUBuffer }[];
  /** WGSL statements; may use the workgroup's number `group` and the thread's, `local`. */
  statements: string;
}

/** What a member's code has to fit in with. */
export interface ProgramContext {
  /** Of every name outside functions. */
  prefix: string;
  /** Where its bindings start. */
  firstBinding: number;
  /** Numbers of the uniform block's fields i0, i1, ...; appended to. */
  integers: number[];
  /** The same for f0, f1, ... */
  floats: number[];
}

/** Threads in a workgroup: a GPU's reductions share results among many. */
export function programThreads({ tuning }: ProgramTarget): number {
  return tuning.family === "workgroup" ? 256 : 64;
}

/** The dispatch of a program with a member for each of `makers`. */
export function programDispatch(
  target: ProgramTarget,
  makers: ((context: ProgramContext) => ProgramMember)[],
): Dispatch {
  const integers: number[] = [];
  const floats: number[] = [];
  let bindings = 0;
  const members = makers.map((make, m) => {
    const member = make({ prefix: `m${m}_`, firstBinding: bindings, integers, floats });
    bindings += member.reads.length;
    return member;
  });
  const outputs = members.flatMap((member) => member.outputs);
  let groups = 0;
  const calls = members.map((member, m) => {
    const call = `member${m}(group - ${groups}u, local);`;
    groups += member.groups;
    return m < members.length - 1 ? `if (group < ${groups}u) { ${call} return; }` : call;
  });
  const functions = members.map(({ declarations, statements }, m) => `
${declarations}
fn member${m}(group: u32, local: u32) {
  ${statements}
}`);
  const text = `
${uniformBlock(integers, floats, bindings + outputs.length)}
${
    outputs.map(({ name, type }, o) =>
      `@group(0) @binding(${bindings + o}) var<storage, read_write> ${name}: array<${type}>;`
    ).join("\n")
  }
${[...new Set(members.flatMap(({ shared }) => shared))].join("\n")}
${functions.join("\n")}
@compute @workgroup_size(${programThreads(target)})
fn main(
  @builtin(workgroup_id) id: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let group = id.y * groups.x + id.x;
  ${calls.join("\n  ")}
}`;
  const more = members.length > 1 ? ` and ${members.length - 1} more` : "";
  const label = members[0].label + more;
  return {
    label,
    pipeline: target.pipeline(label, text),
    reads: members.flatMap(({ reads }) => reads),
    writes: outputs.map(({ buffer }) => buffer),
    uniforms: packScalars(integers, floats),
    workgroups: spread(groups),
  };
}

/** Declares the uniform block `u` with the fields i0, i1, ... and f0, f1, ... */
function uniformBlock(integers: number[], floats: number[], binding: number): string {
  const fields = [...integers.map((_, k) => `i${k}: u32`), ...floats.map((_, k) => `f${k}: f32`)];
  return `struct Uniforms { ${fields.join(", ")} };
@group(0) @binding(${binding}) var<uniform> u: Uniforms;`;
}

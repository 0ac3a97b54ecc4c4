/**
 * Elementwise kernels: a small expression graph over tensors with broadcasting becomes one WGSL
 * program. A single TensorFlow.js operation is a graph of one node; fusion.ts joins graphs.
 */
import type { Dispatch, GanforgeWebGpuBackend } from "./backend.ts";
import {
  type ElementType,
  ELEMENTWISE_OPS,
  type ElementwiseOp,
  type ElementwiseOpName,
  isRandom,
  RANDOM_WGSL,
} from "./elementwise_ops.ts";
import { packScalars } from "./uniforms.ts";

/**
 * Where an element of an operand lies: the sum over its terms of `floor(i / divisor) % modulus *
 * stride`, `i` being the element's index in the output. No terms: a scalar.
 */
export interface IndexTerm {
  divisor: number;
  modulus: number;
  stride: number;
}

/** A tensor that a kernel reads. */
export interface Operand {
  buffer: GPUBuffer;
  type: ElementType;
  terms: IndexTerm[];
}

/** What a node takes: an operand, or the result of an earlier node. */
export type Argument = { operand: number } | { node: number };

/** One function of the expression graph. */
export interface ElementwiseNode {
  op: ElementwiseOpName;
  args: Argument[];
  /** The numbers of the function's `params`. */
  params: number[];
}

/** An expression graph over `size` elements. */
export interface ElementwiseWork {
  size: number;
  operands: Operand[];
  /** Each uses earlier ones only. */
  nodes: ElementwiseNode[];
  /** Which nodes are stored, and where. */
  outputs: { node: number; buffer: GPUBuffer }[];
}

/** Threads in a workgroup. */
const THREADS = 64;
/** Workgroups along x; more go along y. */
const MAX_ROW = 32768;

/** The type of a node's result. */
export function nodeType(work: ElementwiseWork, index: number): ElementType {
  const { op, args } = work.nodes[index];
  const { result }: ElementwiseOp = ELEMENTWISE_OPS[op];
  if (result) return result;
  const first = args[0];
  return "operand" in first ? work.operands[first.operand].type : nodeType(work, first.node);
}

/** True when the operand has the output's shape: element `i` is read at `i`. */
export function isIdentity(operand: Operand, size: number): boolean {
  const [term] = operand.terms;
  if (size === 1) return operand.terms.length === 0;
  return operand.terms.length === 1 && term.divisor === 1 && term.modulus === size;
}

/**
 * How an operand of `shape` is indexed when it is broadcast to `outputShape` (right-aligned, as in
 * NumPy). Neighbouring dimensions that advance together become one term.
 */
export function broadcastTerms(shape: number[], outputShape: number[]): IndexTerm[] {
  const terms: IndexTerm[] = [];
  let outputStride = 1;
  let inputStride = 1;
  for (let d = 1; d <= outputShape.length; d++) {
    const extent = outputShape[outputShape.length - d];
    const own = d <= shape.length ? shape[shape.length - d] : 1;
    if (extent === 1) continue;
    if (own !== 1) {
      const last = terms.at(-1);
      const follows = last && last.divisor * last.modulus === outputStride &&
        last.stride * last.modulus === inputStride;
      if (follows) last.modulus *= extent;
      else terms.push({ divisor: outputStride, modulus: extent, stride: inputStride });
      inputStride *= own;
    }
    outputStride *= extent;
  }
  return terms;
}

/** How an operand is loaded when one thread computes four neighbouring elements. */
type Load = "four" | "splat";

/** How each operand is loaded by fours, or undefined when one of them cannot be. */
function loadsByFour(work: ElementwiseWork): Load[] | undefined {
  if (work.size % 4) return undefined;
  const loads: Load[] = [];
  for (const { terms } of work.operands) {
    const inner = terms.filter((term) => term.divisor % 4 !== 0);
    if (inner.length === 0) {
      loads.push("splat");
      continue;
    }
    const [term] = inner;
    const contiguous = inner.length === 1 && term.divisor === 1 && term.modulus % 4 === 0 &&
      term.stride === 1;
    const aligned = terms.every((other) => other === term || other.stride % 4 === 0);
    if (!contiguous || !aligned) return undefined;
    loads.push("four");
  }
  return loads;
}

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
  const integers: number[] = [work.size / width];
  const floats: number[] = [];
  const overwritten = new Map([...inPlace].map(([output, operand]) => [operand, output]));

  const declarations: string[] = [];
  const body: string[] = [];
  const reads: GPUBuffer[] = [];
  const float = width === 4 ? "vec4<f32>" : "f32";
  const typeOf = (type: ElementType, lanes: number) => lanes === 4 ? `vec4<${type}>` : type;
  const isAddress = addressOperands(work);
  const bind = (access: string, name: string, type: string, binding: number) =>
    declarations.push(
      `@group(0) @binding(${binding}) var<storage, ${access}> ${name}: array<${type}>;`,
    );

  work.operands.forEach((operand, k) => {
    if (isAddress.has(k)) {
      bind("read", `in${k}`, "u32", reads.push(operand.buffer) - 1);
      body.push(`let a${k} = vec2<u32>(in${k}[0], in${k}[1]);`);
      return;
    }
    const lanes = loads?.[k] === "four" ? 4 : 1;
    const place = indexExpression(operand, work.size, lanes, integers);
    const output = overwritten.get(k);
    if (output === undefined) {
      bind("read", `in${k}`, typeOf(operand.type, lanes), reads.push(operand.buffer) - 1);
    }
    const source = output === undefined ? `in${k}` : `out${output}`;
    const value = `${source}[${place}]`;
    body.push(
      `let a${k} = ${loads && lanes === 1 ? typeOf(operand.type, 4) + `(${value})` : value};`,
    );
  });
  const barrier = work.nodes.length > 1 ? barrierFunction(float, integers) : undefined;
  work.nodes.forEach(({ op, args, params }, n) => {
    const { params: kinds = [], wgsl }: ElementwiseOp = ELEMENTWISE_OPS[op];
    const names = kinds.map((kind, p) => {
      if (kind === "u32") return `u.i${integers.push(params[p]) - 1}`;
      return `u.f${floats.push(params[p]) - 1}`;
    });
    const values = args.map((arg) => "operand" in arg ? `a${arg.operand}` : `v${arg.node}`);
    const text = wgsl(values, names, float);
    const isKept = barrier !== undefined && nodeType(work, n) === "f32";
    body.push(`let v${n} = ${isKept ? `keep(${text})` : text};`);
  });
  work.outputs.forEach(({ node }, o) => {
    bind("read_write", `out${o}`, typeOf(nodeType(work, node), width), reads.length + o);
    body.push(`out${o}[q] = v${node};`);
  });

  const binding = reads.length + work.outputs.length;
  const fields = [...integers.map((_, k) => `i${k}: u32`), ...floats.map((_, k) => `f${k}: f32`)];
  const code = `
struct Uniforms { ${fields.join(", ")} };
${declarations.join("\n")}
@group(0) @binding(${binding}) var<uniform> u: Uniforms;
${work.nodes.some(({ op }) => isRandom(op)) ? RANDOM_WGSL : ""}
${barrier ?? ""}
@compute @workgroup_size(${THREADS})
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let q = id.y * (groups.x * ${THREADS}u) + id.x;
  if (q >= u.i0) { return; }
  let i = q * ${width}u;
  ${body.join("\n  ")}
}`;
  const label = work.nodes.length === 1
    ? work.nodes[0].op
    : `fused(${work.nodes.map(({ op }) => op).join(" ")})`;
  const groups = Math.ceil(work.size / width / THREADS);
  const rows = Math.ceil(groups / MAX_ROW);
  return {
    label,
    pipeline: backend.pipeline(label, code),
    reads,
    writes: work.outputs.map(({ buffer }) => buffer),
    uniforms: packScalars(integers, floats),
    workgroups: [Math.ceil(groups / rows), rows, 1],
  };
}

/**
 * Compilers of shaders join a product and a sum into one rounding, and more. Between two nodes this
 * exclusive or with a 0 that they cannot see keeps them from it, so that a fused kernel has the bits
 * of one kernel for each node. It costs nothing beside a kernel's memory traffic.
 */
function barrierFunction(float: string, integers: number[]): string {
  const bits = float.replace("f32", "u32");
  const zero = `u.i${integers.push(0) - 1}`;
  return `fn keep(x: ${float}) -> ${float} {
  return bitcast<${float}>(bitcast<${bits}>(x) ^ ${bits}(${zero}));
}`;
}

/** Operands that are addresses of random numbers. */
function addressOperands(work: ElementwiseWork): Set<number> {
  const found = new Set<number>();
  for (const { op, args } of work.nodes) {
    if (isRandom(op) && "operand" in args[0]) found.add(args[0].operand);
  }
  return found;
}

/**
 * The WGSL of an operand's index, in units of `lanes` elements; `i` is the element, `q` the thread.
 * Sizes go into the uniform block, so that one program serves many shapes.
 */
function indexExpression(
  operand: Operand,
  size: number,
  lanes: number,
  integers: number[],
): string {
  if (isIdentity(operand, size)) return "q";
  const field = (value: number) => `u.i${integers.push(value) - 1}`;
  const terms = operand.terms.map(({ divisor, modulus, stride }) => {
    const vector = lanes === 4 && divisor % 4 !== 0; // the term that runs over the four elements
    let text = vector ? "q" : "i";
    if (divisor !== 1) text = `${text} / ${field(divisor)}`;
    if (divisor * modulus !== size) text = `(${text}) % ${field(vector ? modulus / 4 : modulus)}`;
    const step = vector ? 1 : stride / lanes;
    return step === 1 ? `(${text})` : `(${text}) * ${field(step)}`;
  });
  return terms.join(" + ") || "0u";
}

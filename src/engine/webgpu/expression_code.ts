/**
 * WGSL of an expression: declarations of its operands, and statements that leave node `n` in `v<n>`
 * for the thread's element `q` (or for the four elements from `4 q` on). Elementwise kernels store
 * the results; reductions add them up.
 */
import { type Expression, nodeType, type Operand, readsOwnElement } from "./expression.ts";
import {
  ELEMENTWISE_OPS,
  type ElementwiseOp,
  isRandom,
  RANDOM_WGSL,
  type WgslType,
} from "./elementwise_ops.ts";

/** How an operand is loaded when one thread computes four neighboring elements. */
export type Load =
  /** Four values that lie side by side. */
  | "four"
  /** One number for all four. */
  | "splat"
  /** Four numbers, each by itself. */
  | "gather";

/**
 * How each operand is loaded by fours; undefined when the elements do not come in fours. That depends
 * on the size alone, so that a reduction adds in the same order however its operands are read.
 */
export function loadsByFour(work: Expression): Load[] | undefined {
  if (work.size % 4) return undefined;
  return work.operands.map(({ terms, offset = 0 }): Load => {
    const inner = terms.filter((term) => term.divisor % 4 !== 0);
    if (inner.length === 0) return "splat";
    const [term] = inner;
    const contiguous = inner.length === 1 && term.divisor === 1 && term.modulus % 4 === 0 &&
      term.stride === 1;
    const aligned = offset % 4 === 0 &&
      terms.every((other) => other === term || other.stride % 4 === 0);
    return contiguous && aligned ? "four" : "gather";
  });
}

/** How many storage buffers an expression binds to read its operands. */
export function bindingCount(work: Expression): number {
  const loads = loadsByFour(work);
  const seen = new Map<GPUBuffer, Set<boolean>>();
  work.operands.forEach(({ buffer }, k) => {
    if (!seen.has(buffer)) seen.set(buffer, new Set());
    seen.get(buffer)!.add(loads?.[k] === "four");
  });
  return [...seen.values()].reduce((sum, ways) => sum + ways.size, 0);
}

/** The parts of a program that compute an expression. */
export interface ExpressionCode {
  /** Bindings, and functions of its own. */
  declarations: string;
  /** Functions that a program has once, whichever of its expressions ask for them. */
  functions: string[];
  /** Statements that are the same for every `q`: scalars are loaded. They come first. */
  setup: string;
  /** Statements; need the thread's `q`. */
  body: string;
  /** The buffers of the bindings. */
  reads: GPUBuffer[];
}

/**
 * Writes the WGSL of an expression.
 * @param options.loads from {@linkcode loadsByFour}; undefined for one element a thread
 * @param options.integers numbers of the uniform block's fields i0, i1, ...; appended to
 * @param options.floats the same for f0, f1, ...
 * @param options.aliases operands that are read through another binding, by its name
 * @param options.isolated whoever uses the results may not be joined with the last rounding
 * @param options.prefix of every name outside functions
 * @param options.firstBinding where its bindings start
 */
export function expressionCode(
  work: Expression,
  options: {
    loads: Load[] | undefined;
    integers: number[];
    floats: number[];
    aliases?: Map<number, string>;
    isolated?: boolean;
    prefix: string;
    firstBinding: number;
  },
): ExpressionCode {
  const { loads, integers, floats, aliases, isolated = false, prefix, firstBinding } = options;
  const keep = `${prefix}keep`;
  const width = loads ? 4 : 1;
  const float = width === 4 ? "vec4<f32>" : "f32";
  const declarations: string[] = [];
  const setup: string[] = [];
  const body = [`let i = q * ${width}u;`];
  const reads: GPUBuffer[] = [];
  const typeOf = (type: WgslType, lanes: number) => lanes === 4 ? `vec4<${type}>` : type;
  const bound = new Map<string, GPUBuffer>();
  /** The name of a binding; operands that read the same buffer in the same way share one. */
  const bind = (name: string, type: string, buffer: GPUBuffer): string => {
    for (const [key, other] of bound) {
      if (other === buffer && key.endsWith(` ${type}`)) return key.split(" ")[0];
    }
    bound.set(`${name} ${type}`, buffer);
    const binding = firstBinding + reads.push(buffer) - 1;
    declarations.push(`@group(0) @binding(${binding}) var<storage, read> ${name}: array<${type}>;`);
    return name;
  };
  const addresses = addressOperands(work);

  work.operands.forEach((operand, k) => {
    if (addresses.has(k)) {
      const name = bind(`${prefix}in${k}`, "u32", operand.buffer);
      setup.push(`let a${k} = vec2<u32>(${name}[0], ${name}[1]);`);
      return;
    }
    const load = loads?.[k];
    const lanes = load === "four" ? 4 : 1;
    const place = indexExpression(operand, work.size, lanes, integers);
    const name = aliases?.get(k) ??
      bind(`${prefix}in${k}`, typeOf(operand.type, lanes), operand.buffer);
    const at = (element: string) => `${name}[${place.replaceAll(ELEMENT, element)}]`;
    const four = [0, 1, 2, 3].map((step) => at(`(i + ${step}u)`)).join(", ");
    const value = load === "gather" ? four : at("i");
    const isBuilt = load === "gather" || load === "splat";
    const isScalar = operand.terms.length === 0 && work.size > 1;
    const target = isScalar ? setup : body;
    target.push(`let a${k} = ${isBuilt ? `${typeOf(operand.type, 4)}(${value})` : value};`);
  });
  const needsBarrier = work.nodes.length > (isolated ? 0 : 1);
  const barrier = needsBarrier ? barrierFunction(keep, float, integers) : undefined;
  work.nodes.forEach(({ op, args, params }, n) => {
    const { params: kinds = [], wgsl }: ElementwiseOp = ELEMENTWISE_OPS[op];
    const names = kinds.map((kind, p) => {
      if (kind === "u32") return `u.i${integers.push(params[p]) - 1}`;
      return `u.f${floats.push(params[p]) - 1}`;
    });
    const values = args.map((arg) => "operand" in arg ? `a${arg.operand}` : `v${arg.node}`);
    const text = wgsl(values, names, float);
    const isKept = barrier !== undefined && nodeType(work, n) === "f32";
    body.push(`let v${n} = ${isKept ? `${keep}(${text})` : text};`);
  });
  if (barrier) declarations.push(barrier);
  return {
    declarations: declarations.join("\n"),
    functions: work.nodes.some(({ op }) => isRandom(op)) ? [RANDOM_WGSL] : [],
    setup: setup.join("\n  "),
    body: body.join("\n  "),
    reads,
  };
}

/**
 * Compilers of shaders join a product and a sum into one rounding, and more. Between two nodes this
 * exclusive or with a 0 that they cannot see keeps them from it, so that a fused kernel has the bits
 * of one kernel for each node. It costs nothing beside a kernel's memory traffic.
 */
function barrierFunction(name: string, float: string, integers: number[]): string {
  const bits = float.replace("f32", "u32");
  const zero = `u.i${integers.push(0) - 1}`;
  return `fn ${name}(x: ${float}) -> ${float} {
  return bitcast<${float}>(bitcast<${bits}>(x) ^ ${bits}(${zero}));
}`;
}

/** Operands that are addresses of random numbers. */
function addressOperands(work: Expression): Set<number> {
  const found = new Set<number>();
  for (const { op, args } of work.nodes) {
    if (isRandom(op) && "operand" in args[0]) found.add(args[0].operand);
  }
  return found;
}

/** Stands for the element's index in the text of {@linkcode indexExpression}. */
const ELEMENT = "@";

/**
 * The WGSL of an operand's index, in units of `lanes` elements; `q` is the thread. Sizes go into the
 * uniform block, so that one program serves many shapes.
 */
function indexExpression(
  operand: Operand,
  size: number,
  lanes: number,
  integers: number[],
): string {
  if (readsOwnElement(operand, size)) return "q";
  const field = (value: number) => `u.i${integers.push(value) - 1}`;
  const terms = operand.terms.map(({ divisor, modulus, stride }) => {
    const vector = lanes === 4 && divisor % 4 !== 0; // the term that runs over the four elements
    let text = vector ? "q" : ELEMENT;
    if (divisor !== 1) text = `${text} / ${field(divisor)}`;
    if (divisor * modulus !== size) text = `(${text}) % ${field(vector ? modulus / 4 : modulus)}`;
    const step = vector ? 1 : stride / lanes;
    return step === 1 ? `(${text})` : `(${text}) * ${field(step)}`;
  });
  if (operand.offset) terms.push(field(operand.offset / lanes));
  return terms.join(" + ") || "0u";
}

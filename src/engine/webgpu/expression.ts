/**
 * Expressions: functions of the elements of some tensors, with broadcasting, as data. Elementwise
 * kernels store their results, reductions add them up, and fusion.ts joins them.
 */
import {
  ELEMENTWISE_OPS,
  type ElementwiseOp,
  type ElementwiseOpName,
  type WgslType,
} from "./elementwise_ops.ts";

/**
 * Where an element of an operand lies: the sum over its terms of `floor(i / divisor) % modulus *
 * stride`, `i` being the element's index in the output. No terms: a scalar.
 */
export interface IndexTerm {
  /** Elements of the output in one step along the term's axes. */
  divisor: number;
  /** Steps before it starts anew. */
  modulus: number;
  /** Numbers of the operand in one step. */
  stride: number;
}

/** A tensor that a kernel reads. */
export interface Operand {
  /** Where it is. */
  buffer: GPUBuffer;
  /** How its values are stored. */
  type: WgslType;
  /** Where an element of the output finds its number. */
  terms: IndexTerm[];
  /** Added to the index. Default 0. */
  offset?: number;
}

/** What a node takes: an operand, or the result of an earlier node. */
export type Argument = { operand: number } | { node: number };

/** One function of the expression graph. */
export interface ElementwiseNode {
  /** Which function. */
  op: ElementwiseOpName;
  /** What it takes. */
  args: Argument[];
  /** The values of the function's `params`. */
  params: number[];
}

/** Functions of the elements of some tensors, `size` elements each. */
export interface Expression {
  /** How many elements. */
  size: number;
  /** What it reads. */
  operands: Operand[];
  /** Each uses earlier ones only. */
  nodes: ElementwiseNode[];
}

/** The type of a node's result. */
export function nodeType(work: Expression, index: number): WgslType {
  const { op, args } = work.nodes[index];
  const { result }: ElementwiseOp = ELEMENTWISE_OPS[op];
  if (result) return result;
  const first = args[0];
  return "operand" in first ? work.operands[first.operand].type : nodeType(work, first.node);
}

/** True when the operand has the output's shape: element `i` is read at `i`. */
export function readsOwnElement(operand: Operand, size: number): boolean {
  const [term] = operand.terms;
  if (operand.offset) return false;
  if (size === 1) return operand.terms.length === 0;
  return operand.terms.length === 1 && term.divisor === 1 && term.modulus === size &&
    term.stride === 1;
}

/**
 * How an operand of `shape` is indexed when it is broadcast to `outputShape` (right-aligned, as in
 * NumPy). Neighboring dimensions that advance together become one term.
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

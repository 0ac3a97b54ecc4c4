/** Adds up what a split kernel left, in a fixed order. */
import type * as tfTypes from "@tensorflow/tfjs";
import type { GanforgeWebGpuBackend } from "../backend.ts";
import type { ElementwiseNode, IndexTerm, Operand } from "../expression.ts";

/**
 * Sums over the middle of `[outer, splits, inner]`, and releases the parts. The sum is an elementwise
 * operation, so that in a captured step it joins those that follow: a bias, an activation, an
 * optimizer.
 * @param parts `[outer, splits, inner]`, at most 32 splits (`MAX_PARTS` of tuning.ts)
 * @param out a tensor of `outer * inner` numbers, to be written: the sums over the divisor
 */
export function addParts(
  backend: GanforgeWebGpuBackend,
  parts: tfTypes.TensorInfo,
  out: tfTypes.TensorInfo,
  { outer = 1, splits, inner, divisor = 1 }: {
    outer?: number;
    splits: number;
    inner: number;
    divisor?: number;
  },
): void {
  const buffer = backend.bufferOf(parts);
  const terms: IndexTerm[] = [
    { divisor: 1, modulus: inner, stride: 1 },
    { divisor: inner, modulus: outer, stride: splits * inner },
  ].filter(({ modulus }) => modulus > 1);
  const operands = Array.from({ length: splits }, (_, s): Operand => ({
    buffer,
    type: "f32",
    terms,
    offset: s * inner,
  }));
  const nodes = Array.from({ length: splits - 1 }, (_, s): ElementwiseNode => ({
    op: "add",
    args: [s === 0 ? { operand: 0 } : { node: s - 1 }, { operand: s + 1 }],
    params: [],
  }));
  if (divisor !== 1) {
    const sum = { node: nodes.length - 1 };
    const by = { node: nodes.push({ op: "fill", args: [], params: [divisor] }) - 1 };
    nodes.push({ op: "div", args: [sum, by], params: [] });
  }
  const outputs = [{ node: nodes.length - 1, buffer: backend.bufferOf(out) }];
  backend.elementwise({ size: outer * inner, operands, nodes, outputs }, [parts, out]);
  backend.disposeData(parts.dataId);
}

/** Rules for products of matrices. */
import { flagAttribute, textAttribute } from "../trace/attributes.ts";
import type { KernelNode } from "../trace/kernel_graph.ts";
import { activate } from "./elementwise.ts";
import { isIdentityOrder, range } from "./layout.ts";
import type { Lowered, Lowering, LoweringRule } from "./lowering.ts";

/** A matrix whose transposition is done by the product that reads it. */
interface Factor {
  x: Lowered;
  transposed: boolean;
}

/** Takes a 2-D factor as it lies in memory: a `[1, 0]` layout is a transposition. */
function flatFactor(lowering: Lowering, input: Lowered, transposed: boolean): Factor {
  const x = lowering.weight(input);
  if (x.name === undefined || isIdentityOrder(x.order)) return { x: lowering.plain(x), transposed };
  return { x, transposed: !transposed };
}

/** The product of two matrices, plus a bias of one number a column. */
function matrixProduct(
  lowering: Lowering,
  left: { x: Lowered; transposed?: boolean },
  right: { x: Lowered; transposed?: boolean },
  bias?: Lowered,
): Lowered {
  const a = flatFactor(lowering, left.x, left.transposed ?? false);
  const b = flatFactor(lowering, right.x, right.transposed ?? false);
  const rows = left.x.shape[left.transposed ? 1 : 0];
  const columns = right.x.shape[right.transposed ? 0 : 1];
  const names = [lowering.name(a.x), lowering.name(b.x, "weight")];
  if (bias !== undefined) names.push(lowering.name(lowering.plain(lowering.weight(bias)), "bias"));
  const name = names.length === 2 && !a.transposed && !b.transposed
    ? lowering.builder.emit("MatMul", names)
    : lowering.builder.emit("Gemm", names, {
      transA: Number(a.transposed),
      transB: Number(b.transposed),
    });
  return lowering.made(name, [rows, columns]);
}

/** Swaps the last two axes by a transposition in memory, unless the layout has done so already. */
function batchFactor(lowering: Lowering, input: Lowered, transposed: boolean): Lowered {
  const x = lowering.expanded(input);
  if (!transposed) return lowering.plain(x);
  const rank = x.shape.length;
  const swapped = [...range(rank - 2), rank - 1, rank - 2];
  return lowering.arranged(x, swapped);
}

const product: LoweringRule = (lowering, node) => {
  const a = lowering.input(node, "a");
  const b = lowering.input(node, "b");
  const { shape } = node.outputs[0];
  const transposeA = flagAttribute(node.attributes, "transposeA");
  const transposeB = flagAttribute(node.attributes, "transposeB");
  const bias = node.inputs.bias && lowering.input(node, "bias");
  const isFlat = (x: Lowered) => x.shape.slice(0, -2).every((dim) => dim === 1);

  if (isFlat(a) && isFlat(b)) {
    const result = matrixProduct(
      lowering,
      { x: lowering.reshaped(a, a.shape.slice(-2)), transposed: transposeA },
      { x: lowering.reshaped(b, b.shape.slice(-2)), transposed: transposeB },
      bias,
    );
    return finish(lowering, node, lowering.reshaped(result, shape));
  }
  const names = [
    lowering.name(batchFactor(lowering, a, transposeA)),
    lowering.name(batchFactor(lowering, b, transposeB)),
  ];
  const result = lowering.made(lowering.builder.emit("MatMul", names), shape);
  const biased = bias ? lowering.elementwise("Add", [result, bias]) : result;
  return finish(lowering, node, biased);
};

function finish(lowering: Lowering, node: KernelNode, x: Lowered): Lowered {
  return node.kernel === "_FusedMatMul" ? activate(lowering, node, x) : x;
}

const einsum: LoweringRule = (lowering, node) => {
  const names = Object.values(node.inputs).map((value) =>
    lowering.name(lowering.plain(lowering.expanded(lowering.value(value))))
  );
  const equation = textAttribute(node.attributes, "equation")!.replace(/\s/g, "");
  return lowering.made(
    lowering.builder.emit("Einsum", names, { equation }),
    node.outputs[0].shape,
  );
};

/** The rules by kernel name. */
export const matmulRules: Record<string, LoweringRule> = {
  BatchMatMul: product,
  Einsum: einsum,
  _FusedMatMul: product,
};

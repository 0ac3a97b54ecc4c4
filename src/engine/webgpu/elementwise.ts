/**
 * Elementwise kernels: an expression over tensors becomes part of a WGSL program. A single TensorFlow.js
 * operation is an expression of one node.
 */
import { type Expression, nodeType } from "./expression.ts";
import { expressionCode, loadsByFour } from "./expression_code.ts";
import {
  type ProgramContext,
  type ProgramMember,
  type ProgramTarget,
  programThreads,
} from "./expression_program.ts";
import type { KernelTuning } from "./tuning.ts";
import type { ElementwiseWork } from "./work.ts";

/**
 * An expression as part of a program.
 * @param inPlace operands whose buffer an output takes over: output's index -> operand's index
 */
export function elementwiseMember(
  target: ProgramTarget,
  { work, inPlace = new Map() }: { work: ElementwiseWork; inPlace?: Map<number, number> },
  context: ProgramContext,
): ProgramMember {
  const { prefix, integers } = context;
  const threads = programThreads(target);
  const loads = loadsByFour(work);
  const width = loads ? 4 : 1;
  const perThread = elementsPerThread(target.tuning, work.size / width);
  const size = `u.i${integers.push(work.size / width) - 1}`;
  const share = `u.i${integers.push(perThread) - 1}`;
  const aliases = new Map(
    [...inPlace].map(([output, operand]) => [operand, `${prefix}out${output}`]),
  );
  const code = expressionCode(work, { ...context, loads, aliases });
  const outputs = work.outputs.map(({ node, buffer }, o) => {
    const type = nodeType(work, node);
    return { name: `${prefix}out${o}`, type: width === 4 ? `vec4<${type}>` : type, buffer };
  });
  const stores = work.outputs.map(({ node }, o) => `${outputs[o].name}[q] = v${node};`);
  return {
    label: expressionLabel(work),
    groups: Math.ceil(work.size / width / perThread / threads),
    declarations: code.declarations,
    shared: code.functions,
    reads: code.reads,
    outputs,
    statements: `let first = (group * ${threads}u + local) * ${share};
  if (first >= ${size}) { return; }
  ${code.setup}
  for (var q = first; q < min(first + ${share}, ${size}); q++) {
    ${code.body}
    ${stores.join("\n    ")}
  }`,
  };
}

/**
 * How many elements (or fours of them) a thread computes one after another, so that it loads scalars
 * once for all of them; few enough to leave threads for every core.
 */
function elementsPerThread(
  { maxElements, targetThreads }: KernelTuning,
  elements: number,
): number {
  return Math.max(1, Math.min(maxElements, Math.floor(elements / (4 * targetThreads))));
}

/** The functions of an expression, for profiles. */
export function expressionLabel({ nodes }: Expression): string {
  return nodes.length === 1 ? nodes[0].op : `fused(${nodes.map(({ op }) => op).join(" ")})`;
}

/** How a file names a dimension whose length is open: `N`, `2*N`, `H*W`, `H + 1`. */
import type { OnnxDim } from "../onnx_graph.ts";
import type { AxisLengths } from "./axes.ts";
import { constantOf, isFixed, type Length } from "./sizes.ts";

/**
 * The dimension as the file states it.
 * @param length the dimension's length in each trace
 * @param axes the lengths of the open axes in each trace
 * @returns a number, a name, or null for one that is no simple multiple: a runtime may take dimensions of one
 * name for equal, so no name is given that might be wrong
 */
export function dimensionOf(length: Length, axes: readonly AxisLengths[]): OnnxDim {
  if (isFixed(length)) return length[0];
  const names = Object.keys(axes[0]);
  for (const chosen of subsets(names)) {
    const values = axes.map((own) => chosen.reduce((product, name) => product * own[name], 1));
    const factor = constantOf(length.map((value, k) => value / values[k]));
    const text = chosen.join("*");
    if (factor !== null && Number.isInteger(factor)) {
      return factor === 1 ? text : `${factor}*${text}`;
    }
    const offset = constantOf(length.map((value, k) => value - values[k]));
    if (offset !== null) return `${text} ${offset < 0 ? "-" : "+"} ${Math.abs(offset)}`;
  }
  return null;
}

/** All choices of one or more names, smaller ones first. */
function subsets(names: readonly string[]): string[][] {
  const all = Array.from(
    { length: 2 ** names.length - 1 },
    (_, index) => names.filter((_, bit) => (index + 1) >> bit & 1),
  );
  return all.sort((a, b) => a.length - b.length);
}

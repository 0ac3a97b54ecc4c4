/** Fills a step's random inputs on the host, in the layout in which the model takes them. */
import { NCHW, permuteData } from "../../graph/lower/layout.ts";
import { sameNumbers } from "../../graph/trace/kernel_graph.ts";
import { fillNormal, fillUniform, type RandomAddress } from "../../random/counter_random.ts";
import { fillKeepMask } from "../../random/keep_mask.ts";
import type { RandomInput } from "./step_graph.ts";

/** Fills `out` with one step's numbers of a random input. */
export function fillRandomInput(
  out: Float32Array,
  input: RandomInput,
  address: RandomAddress,
): void {
  const { distribution, mask, shape, order } = input;
  const isPlain = order.every((axis, index) => axis === index);
  if (mask !== undefined && (isPlain || sameNumbers(order, NCHW))) {
    const [, height, width, channels] = shape;
    const layout = isPlain ? undefined : { positions: height * width, channels };
    fillKeepMask(out, address, mask, layout);
    return;
  }
  const inOrder = isPlain ? out : new Float32Array(out.length);
  if (mask !== undefined) fillKeepMask(inOrder, address, mask);
  else if (distribution === "uniform") fillUniform(inOrder, address);
  else fillNormal(inOrder, address);
  if (!isPlain) out.set(permuteData(inOrder, shape, order));
}

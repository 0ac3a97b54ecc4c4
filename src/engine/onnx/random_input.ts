/** Fills a step's random inputs on the host, in the layout in which the model takes them. */
import { NCHW, permuteData } from "../../graph/lower/layout.ts";
import { sameNumbers } from "../../graph/trace/kernel_graph.ts";
import { fillNormal, fillUniform, type RandomAddress } from "../../random/counter_random.ts";
import { fillRows } from "../../random/draw_rows.ts";
import { fillKeepMask } from "../../random/keep_mask.ts";
import type { RandomInput } from "./step_trace.ts";

/** Fills `out` with one step's numbers of a random input. */
export function fillRandomInput(
  out: Float32Array,
  input: RandomInput,
  address: RandomAddress,
): void {
  const { distribution, mask, rows, shape, order } = input;
  const isPlain = order.every((axis, index) => axis === index);
  if (mask !== undefined && (isPlain || sameNumbers(order, NCHW))) {
    const [, height, width, channels] = shape;
    const layout = isPlain ? undefined : { positions: height * width, channels };
    // A share of images with few channels may start inside of a block: it is put in order below.
    if (isPlain || rows === undefined || channels % 4 === 0) {
      fillRows(
        out,
        rows,
        (part, firstIndex) => fillKeepMask(part, address, mask, { layout, firstIndex }),
      );
      return;
    }
  }
  const inOrder = isPlain ? out : new Float32Array(out.length);
  fillRows(inOrder, rows, (part, firstIndex) => {
    if (mask !== undefined) fillKeepMask(part, address, mask, { firstIndex });
    else if (distribution === "uniform") fillUniform(part, address, firstIndex);
    else fillNormal(part, address, firstIndex);
  });
  if (!isPlain) out.set(permuteData(inOrder, shape, order));
}

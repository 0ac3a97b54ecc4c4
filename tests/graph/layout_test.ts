import { elementCount } from "../../src/bytes.ts";
import { assert, assertEquals } from "@std/assert";
import {
  arrange,
  inverse,
  permuteData,
  range,
  reshapeOrder,
} from "../../src/graph/lower/layout.ts";

Deno.test("permuteData() moves NHWC to NCHW and back", () => {
  const shape = [2, 3, 2, 4];
  const data = Float32Array.from(range(elementCount(shape)));
  const moved = permuteData(data, shape, [0, 3, 1, 2]);
  assertEquals([...moved.slice(0, 6)], [0, 4, 8, 12, 16, 20]);
  const back = permuteData(moved, arrange(shape, [0, 3, 1, 2]), inverse([0, 3, 1, 2]));
  assertEquals(back, data);
});

Deno.test("reshapeOrder() keeps elements in place exactly where that is possible", () => {
  const cases: [number[], number[], number[]][] = [
    [[2, 3, 4, 6], [0, 3, 1, 2], [2, 3, 4, 2, 3]], // channels split into groups
    [[2, 3, 4, 6], [0, 3, 1, 2], [2, 12, 6]], // positions merged
    [[2, 3, 4, 6], [0, 3, 1, 2], [2, 72]], // flatten: must move
    [[2, 3, 4, 6], [0, 3, 1, 2], [24, 6]], // must move
    [[2, 1, 1, 6], [0, 3, 1, 2], [2, 6]],
    [[2, 3, 4, 1], [0, 3, 1, 2], [2, 12]],
    [[5, 7], [1, 0], [1, 5, 7]],
    [[1, 5, 7], [0, 2, 1], [5, 7]],
    [[1, 5, 7], [2, 1, 0], [5, 1, 7, 1]],
    [[6, 4], [1, 0], [2, 3, 4]],
    [[6, 4], [1, 0], [3, 8]], // must move
  ];
  let inPlace = 0;
  for (const [from, order, to] of cases) {
    const data = Float32Array.from(range(elementCount(from)));
    const found = reshapeOrder(from, order, to);
    if (found === null) continue;
    inPlace++;
    assertEquals([...found].sort(), range(to.length));
    // Row-major elements of the result, read through its layout, are those of the source.
    assertEquals(permuteData(data, to, found), permuteData(data, from, order));
  }
  assert(inPlace === 8, `${inPlace} cases stay in place`);
});

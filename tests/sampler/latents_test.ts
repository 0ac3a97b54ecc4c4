import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { UserError } from "../../src/errors.ts";
import { fillLatent } from "../../src/random/latents.ts";
import { interpolateLatents, truncate } from "../../src/sampler/latents.ts";
import { assertNear, golden } from "./helpers.ts";

for (const { seed, distribution, values } of golden.latents) {
  Deno.test(`fillLatent() gives the frozen ${distribution} latent of seed ${seed}`, () => {
    const latent = fillLatent(new Float32Array(10), { seed, distribution });
    assertEquals([...latent], values);
  });
}

Deno.test("fillLatent() gives a longer latent the same start, unless it is normalized", () => {
  for (const distribution of ["normal", "uniform"] as const) {
    const short = fillLatent(new Float32Array(5), { seed: 7, distribution });
    const long = fillLatent(new Float32Array(64), { seed: 7, distribution });
    assertEquals([...long.subarray(0, 5)], [...short]);
  }
});

Deno.test("truncate() pulls to the mean", () => {
  const latent = Float32Array.of(2, -2, 0.5);
  truncate(latent, 0.5, [0, 0, 0.5]);
  assertEquals([...latent], [1, -1, 0.5]);
  truncate(latent, 0, [1, 2, 3]);
  assertEquals([...latent], [1, 2, 3]);
});

const east = Float32Array.of(2, 0);
const north = Float32Array.of(0, 2);

Deno.test("interpolateLatents() goes along the line when linear", () => {
  const path = interpolateLatents([east, north], { frames: 5, mode: "linear" });
  assertEquals(path.map((z) => [...z]), [[2, 0], [1.5, 0.5], [1, 1], [0.5, 1.5], [0, 2]]);
});

Deno.test("interpolateLatents() keeps the distance from the center when spherical", () => {
  const path = interpolateLatents([east, north], { frames: 7 });
  assertEquals([[...path[0]], [...path[6]]], [[2, 0], [0, 2]]);
  path.forEach((z, k) => {
    const angle = k / 6 * Math.PI / 2;
    assertNear(z, [2 * Math.cos(angle), 2 * Math.sin(angle)], 1e-6);
  });
  const [, middle] = interpolateLatents([Float32Array.of(1, 0), Float32Array.of(0, 3)], {
    frames: 3,
  });
  assertAlmostEquals(Math.hypot(...middle), 2, 1e-6); // lengths go linearly
});

Deno.test("interpolateLatents() takes the line where the arc is not defined", () => {
  const opposite = Float32Array.of(-2, 0);
  assertEquals([...interpolateLatents([east, opposite], { frames: 3 })[1]], [0, 0]);
  assertEquals([...interpolateLatents([east, east], { frames: 3 })[1]], [2, 0]);
  assertEquals([...interpolateLatents([east, new Float32Array(2)], { frames: 3 })[1]], [1, 0]);
});

Deno.test("interpolateLatents() goes there and back once when it loops", () => {
  const path = interpolateLatents([east, north], { frames: 4, mode: "linear", loop: true });
  assertEquals(path.map((z) => [...z]), [[2, 0], [1, 1], [0, 2], [1, 1]]);
});

Deno.test("interpolateLatents() goes through each stop, and on to the first when it loops", () => {
  const west = Float32Array.of(-2, 0);
  const through = interpolateLatents([east, north, west], { frames: 5, mode: "linear" });
  assertEquals([0, 2, 4].map((k) => [...through[k]]), [east, north, west].map((z) => [...z]));
  const loop = interpolateLatents([east, north, west], { frames: 6, mode: "linear", loop: true });
  assertEquals([0, 2, 4].map((k) => [...loop[k]]), [east, north, west].map((z) => [...z]));
  assertEquals([...loop[5]], [0, 0]); // half of the way back
  assertThrows(() => interpolateLatents([east], { frames: 2 }), UserError, "it takes two or more");
});

Deno.test("interpolateLatents() gives copies of the ends", () => {
  const [first] = interpolateLatents([east, north], { frames: 1 });
  assertEquals([...first], [2, 0]);
  assert(first !== east);
});

Deno.test("interpolateLatents() refuses what is no path", () => {
  const refuse = (frames: number, message: string, b = north, mode = "linear") =>
    assertThrows(
      () => interpolateLatents([east, b], { frames, mode: mode as "linear" }),
      UserError,
      message,
    );
  refuse(0, "Cannot interpolate in 0 frames: it takes a positive integer");
  refuse(2.5, "Cannot interpolate in 2.5 frames");
  refuse(2, "Cannot interpolate between latents of 2 and 3 values", new Float32Array(3));
  refuse(2, "Cannot interpolate by cubic: the modes are linear and spherical", north, "cubic");
});

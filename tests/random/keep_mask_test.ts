import { assertEquals } from "@std/assert";
import { fillUniform } from "../../src/random/counter_random.ts";
import { fillKeepMask } from "../../src/random/keep_mask.ts";

const address = { seed: 7, stream: 3, step: 11 };

function expected(size: number, threshold: number, value: number): number[] {
  const draws = fillUniform(new Float32Array(size), address);
  return Array.from(draws, (draw) => draw >= Math.fround(threshold) ? Math.fround(value) : 0);
}

Deno.test("fillKeepMask() holds what comparing uniform numbers gives", () => {
  for (const threshold of [0.25, 0.3, 0.5, 0.999, 2 ** -24, 0.1 + 0.2]) {
    for (const size of [1, 3, 4, 1001]) {
      const value = 1 / (1 - threshold);
      const mask = fillKeepMask(new Float32Array(size), address, { threshold, value });
      assertEquals([...mask], expected(size, threshold, value));
    }
  }
});

Deno.test("fillKeepMask() puts channels first where it is asked to", () => {
  for (const [images, positions, channels] of [[2, 6, 8], [3, 5, 4], [2, 3, 5], [1, 1, 12]]) {
    const size = images * positions * channels;
    const mask = { threshold: 0.4, value: 3 };
    const moved = fillKeepMask(new Float32Array(size), address, mask, {
      layout: { positions, channels },
    });
    const inOrder = expected(size, 0.4, 3);
    inOrder.forEach((value, i) => {
      const image = Math.floor(i / (positions * channels));
      const position = Math.floor(i / channels) % positions;
      assertEquals(moved[(image * channels + i % channels) * positions + position], value);
    });
  }
});

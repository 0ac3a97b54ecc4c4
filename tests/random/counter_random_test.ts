import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  fillBits,
  fillNormal,
  fillUniform,
  pcg4d,
  permutation,
  portableLog,
  STREAMS,
} from "../../src/random/counter_random.ts";
import { fillLatent } from "../../src/random/latents.ts";

// Frozen outputs: whatever changes them breaks every seed that users have written down.
const PCG4D_ZERO = [251852841, 760645481, 850445371, 3542436074];
const PCG4D_1234 = [908250390, 4044648920, 3775961919, 45698095];
const UNIFORM_FROZEN = [
  0.17566150426864624,
  0.3655851483345032,
  0.7689245939254761,
  0.7352396845817566,
  0.8539103269577026,
  0.9737521409988403,
];
const NORMAL_FROZEN = [
  -1.2385114431381226,
  1.3944467306137085,
  -0.0671350434422493,
  -0.7218154072761536,
  0.5543867945671082,
  -0.09226760268211365,
];
const NORMAL_DIGEST = "01e1eaa498a90f31c8274fed267edea2c14cf458fc985d746657945f3387fc76";
const LATENT_NORMAL = [-2.9183080196380615, 0.37929654121398926, 0.27124449610710144];
const LATENT_UNIFORM = [0.013164937496185303, 0.4794297218322754, 0.9482241272926331];
const PERMUTATION_FROZEN = [687, 734, 103, 662, 507];

const ADDRESS = { seed: 7, stream: 3, step: 11 };

Deno.test("pcg4d() gives frozen words", () => {
  assertEquals(pcg4d(0, 0, 0, 0), PCG4D_ZERO);
  assertEquals(pcg4d(1, 2, 3, 4), PCG4D_1234);
});

Deno.test("fillUniform() gives frozen numbers, whatever the array's length", () => {
  const long = fillUniform(new Float32Array(10), ADDRESS);
  assertEquals(Array.from(long.subarray(0, 6)), UNIFORM_FROZEN);
  assertEquals(fillUniform(new Float32Array(7), ADDRESS), long.subarray(0, 7));
});

Deno.test("fillNormal() gives frozen numbers, whatever the array's length", () => {
  const long = fillNormal(new Float32Array(10), ADDRESS);
  assertEquals(Array.from(long.subarray(0, 6)), NORMAL_FROZEN);
  assertEquals(fillNormal(new Float32Array(5), ADDRESS), long.subarray(0, 5));
});

Deno.test("fillNormal() gives a million frozen numbers, whatever is done to make it fast", async () => {
  const many = Float32Array.from(fillNormal(new Float32Array(2 ** 20), ADDRESS));
  const digest = await crypto.subtle.digest("SHA-256", many);
  assertEquals(new Uint8Array(digest).toHex(), NORMAL_DIGEST);
});

Deno.test("fillLatent() gives frozen latents for each distribution", () => {
  const latent = (distribution: "normal" | "uniform" | "unit") =>
    Array.from(fillLatent(new Float32Array(3), { seed: 42, distribution }));
  assertEquals(latent("normal"), LATENT_NORMAL);
  assertEquals(latent("uniform"), LATENT_UNIFORM);
  assertAlmostEquals(Math.hypot(...latent("unit")), 1, 1e-6);
});

Deno.test("fillBits() continues a stream at any multiple of four", () => {
  const all = fillBits(new Uint32Array(16), ADDRESS);
  assertEquals(fillBits(new Uint32Array(6), ADDRESS, 8), all.slice(8, 14));
});

Deno.test("portableLog() agrees with Math.log to the last bits", () => {
  for (let units = 1; units <= 2 ** 24; units = units * 3 + 1) {
    assertAlmostEquals(portableLog(units), Math.log(units * 2 ** -24), 4e-15);
  }
  assertEquals(portableLog(2 ** 24), 0);
});

Deno.test("fillUniform() and fillNormal() have the moments of their distributions", () => {
  const count = 200_000;
  for (const seed of [0, 1, 0xffff_ffff]) {
    const address = { seed, stream: STREAMS.evaluation, step: 0 };
    const uniform = moments(fillUniform(new Float32Array(count), address));
    assertAlmostEquals(uniform.mean, 0.5, 0.003);
    assertAlmostEquals(uniform.variance, 1 / 12, 0.001);
    const normal = moments(fillNormal(new Float32Array(count), address));
    assertAlmostEquals(normal.mean, 0, 0.01);
    assertAlmostEquals(normal.variance, 1, 0.015);
    assertAlmostEquals(normal.skewness, 0, 0.03);
    assertAlmostEquals(normal.kurtosis, 3, 0.06);
  }
});

Deno.test("fillNormal() draws independent numbers from neighboring seeds, streams and steps", () => {
  const count = 50_000;
  const base = fillNormal(new Float32Array(count), ADDRESS);
  for (const change of [{ seed: 8 }, { stream: 4 }, { step: 12 }]) {
    const other = fillNormal(new Float32Array(count), { ...ADDRESS, ...change });
    let sum = 0;
    for (let i = 0; i < count; i++) sum += base[i] * other[i];
    assert(
      Math.abs(sum / count) < 0.02,
      `correlation ${sum / count} with ${JSON.stringify(change)}`,
    );
  }
});

Deno.test("permutation() holds every number once and depends on its address", () => {
  const order = permutation(1000, ADDRESS);
  assertEquals([...order].sort((a, b) => a - b), Array.from({ length: 1000 }, (_, i) => i));
  assertEquals(Array.from(order.subarray(0, 5)), PERMUTATION_FROZEN);
  assert(permutation(1000, { ...ADDRESS, step: 12 })[0] !== order[0]);
});

function moments(values: Float32Array) {
  const count = values.length;
  let mean = 0;
  for (const value of values) mean += value / count;
  let second = 0, third = 0, fourth = 0;
  for (const value of values) {
    const d = value - mean;
    second += d * d / count;
    third += d * d * d / count;
    fourth += d ** 4 / count;
  }
  return {
    mean,
    variance: second,
    skewness: third / second ** 1.5,
    kurtosis: fourth / second ** 2,
  };
}

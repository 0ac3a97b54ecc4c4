import { assert, assertEquals, assertLess, assertMatch, assertRejects } from "@std/assert";
import { UserError } from "../../src/errors.ts";
import type { HostTensor } from "../../src/tensor/types.ts";
import { checkParity, exportOnnx, type ParityReference } from "../../src/export/mod.ts";
import { generatorOf, trainedNetwork } from "./networks.ts";

const trained = trainedNetwork(
  generatorOf(4, [
    { type: "label-embedding", units: 2 },
    { type: "dense", units: 18 },
    { type: "activation", fn: "tanh" },
    { type: "reshape", shape: [3, 2, 3] },
  ], 5),
  1,
);

Deno.test("checkParity() measures how far a good file is from the trainer", async () => {
  const model = await exportOnnx(trained);
  const parity = await checkParity(model, trained.reference, { tolerance: 1e-5 });
  assertEquals([parity.count, parity.tolerance], [64, 1e-5]);
  assertMatch(parity.runtime, /^onnxruntime-web 1\./);
  assertLess(parity.maxDifference, 1e-6);
  assert(parity.meanDifference <= parity.maxDifference);
});

Deno.test("checkParity() takes fresh latents of every class, those of its seed", async () => {
  const model = await exportOnnx(trained);
  const seen: { latents: HostTensor; labels?: Int32Array }[] = [];
  const spy: ParityReference = (latents, labels) => {
    seen.push({ latents, labels });
    return trained.reference(latents, labels);
  };
  for (const seed of [1, 1, 2]) {
    await checkParity(model, spy, { tolerance: 1e-5, count: 7, seed });
  }
  assertEquals(seen[0].latents.shape, [7, 4]);
  assertEquals([...seen[0].labels!], [0, 1, 2, 3, 4, 0, 1]);
  assertEquals(seen[0].latents.data, seen[1].latents.data);
  assert(seen[0].latents.data[0] !== seen[2].latents.data[0]);
  // Frozen: the latents of a seed are the same in every version.
  assertEquals(Array.from(seen[0].latents.data.slice(0, 2)), [
    -1.0997809171676636,
    -0.18054544925689697,
  ]);
});

Deno.test("checkParity() refuses a file that differs too much on average", async () => {
  const model = await exportOnnx(trained, { dtype: "fp16" });
  const { meanDifference } = await checkParity(model, trained.reference, { tolerance: 0.1 });
  assert(meanDifference > 0);
  const accepted = { tolerance: 0.1, meanTolerance: meanDifference };
  assertEquals((await checkParity(model, trained.reference, accepted)).tolerance, 0.1);
  const error = await assertRejects(
    () =>
      checkParity(model, trained.reference, {
        tolerance: 0.1,
        meanTolerance: meanDifference * 0.99,
      }),
    UserError,
  );
  assertMatch(
    error.message,
    /differs from the trainer by \S+ on average, more than the allowed \S+: .*; no file was written/,
  );
});

Deno.test("checkParity() refuses a file with one damaged weight", async () => {
  const weights = structuredClone(trained.weights);
  weights["dense_1/kernel"].data[7] += 1e-3;
  const damaged = await exportOnnx({ spec: trained.spec, weights });
  const error = await assertRejects(
    () => checkParity(damaged, trained.reference, { tolerance: 1e-5 }),
    UserError,
  );
  assertMatch(
    error.message,
    /64 latents, onnxruntime-web .* differs from the trainer by up to 0\.00\d+ \(mean .*\), more than the allowed 0\.00001/,
  );
});

Deno.test("checkParity() refuses numbers that are none, and a reference of another size", async () => {
  const model = await exportOnnx(trained);
  const changed =
    (change: (data: Float32Array) => Float32Array): ParityReference => async (z, k) => {
      const result = await trained.reference(z, k);
      return { ...result, data: change(result.data as Float32Array) };
    };
  const nan = changed((data) => data.fill(NaN, 0, 1));
  await assertRejects(() => checkParity(model, nan, { tolerance: 1 }), UserError, "Infinity");
  const short = changed((data) => data.subarray(1));
  await assertRejects(() => checkParity(model, short, { tolerance: 1 }), RangeError, "reference's");
});

Deno.test("checkParity() lets a file differ by the trainer's own rounding, and no more", async () => {
  // The second layer takes the difference of two large numbers: an ulp of the latent is a lot.
  const network = generatorOf(1, [
    { type: "dense", units: 2, bias: false },
    { type: "dense", units: 1, bias: false },
  ]);
  const steep = trainedNetwork(network, 1);
  steep.weights["dense_1/kernel"].data.set([1e4, 1e4 + 3]);
  steep.weights["dense_2/kernel"].data.set([1, -1]);
  const shift = (by: number): ParityReference => async (z) => {
    const result = await steep.reference(z);
    return { ...result, data: (result.data as Float32Array).map((value) => value + by) };
  };
  const model = await exportOnnx(steep);
  const parity = await checkParity(model, shift(1e-4), { tolerance: 1e-5 });
  assert(parity.tolerance > parity.maxDifference && parity.maxDifference > 1e-5);
  await assertRejects(() => checkParity(model, shift(0.5), { tolerance: 1e-5 }), UserError);
});

Deno.test("exportOnnx() gives columns in their units at the end of the graph, in float32 whatever the precision", async () => {
  const network = trainedNetwork(generatorOf(4, [{ type: "dense", units: 3 }]), 2);
  const columnUnits = [
    { mean: 0, scale: 1e-3 },
    { mean: 5e5, scale: 1e5 }, // beyond float16
    { mean: -1e9, scale: 1 }, // float32 is coarser than the network here
  ];
  for (const dtype of ["fp32", "fp16", "int8"] as const) {
    const tolerance = dtype === "fp32" ? 1e-5 : 5e-2;
    const model = await exportOnnx(network, { dtype, generator: { columnUnits } });
    const parity = await checkParity(model, network.reference, { tolerance, columnUnits });
    assertLess(parity.maxDifference, tolerance);
    const [first] = model.manifest.selfTest.values;
    assertLess(Math.abs(first[0]), 1e-2);
    assertLess(Math.abs(first[2] + 1e9), 100);
    assertEquals(model.manifest.selfTest.scales, [1e-3, 1e5, 1]);
    const shifted = columnUnits.map((unit, i) => i === 0 ? { ...unit, mean: 1e-3 } : unit);
    await assertRejects(
      () => checkParity(model, network.reference, { tolerance, columnUnits: shifted }),
      UserError,
      "differs from the trainer",
    );
  }
  await assertRejects(
    () => exportOnnx(network, { generator: { columnUnits: columnUnits.slice(1) } }),
    UserError,
    "Cannot export with 2 columnUnits: a sample has the shape [3]; units are for the values of points",
  );
});

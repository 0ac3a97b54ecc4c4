import {
  assert,
  assertEquals,
  assertLess,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { encodeModel } from "../../src/graph/protobuf.ts";
import { type SampleOptions, Sampler, UserError } from "../../src/sampler/mod.ts";
import { assertNear, fixture, FIXTURES, golden, load, runScript } from "./helpers.ts";

for (const [name, { seeds, labels, shape, values }] of Object.entries(golden.models)) {
  Deno.test(`Sampler.sample() gives numpy's values for ${name}.onnx`, async () => {
    await using sampler = await load(name);
    const samples = await sampler.sample({ seeds, label: labels ?? undefined });
    assertEquals(samples.length, seeds.length);
    samples.forEach((sample, i) => {
      assertEquals([...sample.shape], shape);
      assertEquals([sample.index, sample.seed, sample.label], [
        i,
        seeds[i],
        labels?.[i] ?? null,
      ]);
      assertNear(sample.values, values[i], name === "uint8" ? 0.5 : 1e-5);
    });
  });
}

Deno.test("Sampler.info says what the file says and what is assumed without a manifest", async () => {
  await using gray = await load("gray");
  assertEquals(gray.info.output, {
    kind: "image",
    shape: [1, 6, 10],
    dtype: "float32",
    range: [-1, 1],
  });
  assertEquals([gray.info.name, gray.info.opset, gray.info.cache], [
    `${FIXTURES}gray.onnx`,
    17,
    "off",
  ]);
  assertEquals(gray.info.sizeBytes, fixture("gray").length);
  await using plain = await load("plain", { assume: { range: [0, 1], distribution: "uniform" } });
  assertEquals(plain.info.output, {
    kind: "image",
    shape: [3, 8, 8],
    dtype: "float32",
    range: [0, 1],
  });
  assertEquals(plain.info.latent, { dimension: 6, distribution: "uniform" });
});

Deno.test("Sampler.sample() gives image i of a count the seed s + i, whatever the batch", async () => {
  await using sampler = await load("rgb");
  const all = await sampler.sample({ count: 7, seed: 40 });
  const small = await sampler.sample({ count: 7, seed: 40, batchSize: 3 });
  const [fourth] = await sampler.sample({ seed: 43 });
  assertEquals(all.map((image) => image.seed), [40, 41, 42, 43, 44, 45, 46]);
  for (let i = 0; i < 7; i++) assertNear(small[i].values, all[i].values, 1e-6);
  assertNear(fourth.values, all[3].values, 1e-6);
  assertNotEquals([...all[0].values], [...all[1].values]);
  assertEquals([...all[3].latent], [...sampler.latent(43)]);
});

Deno.test("Sampler.sample() runs a graph of a fixed batch and drops what fills it up", async () => {
  await using sampler = await load("fixed_batch");
  assertEquals(sampler.info.fixedBatch, 2);
  const samples = await sampler.sample({ count: 5 });
  assertEquals(samples.map((sample) => sample.index), [0, 1, 2, 3, 4]);
  const [last] = await sampler.sample({ seed: 4 });
  assertNear(last.values, samples[4].values, 1e-6);
});

Deno.test("Sampler.sample() truncates toward the manifest's mean", async () => {
  await using normal = await load("rgb");
  const [half] = await normal.sample({ seed: 7, truncation: 0.5 });
  assertEquals([...half.latent], [...normal.latent(7)].map((value) => value / 2));
  const [given] = await normal.sample({ latents: [half.latent] });
  assertNear(given.values, half.values, 1e-6);
  await using uniform = await load("points");
  const [mean] = await uniform.sample({ seed: 7, truncation: 0 });
  assertEquals([...mean.latent], [0.5, 0.5, 0.5, 0.5]);
});

Deno.test("Sampler.sample() takes labels by number, by name, one a sample, or from the seed", async () => {
  await using sampler = await load("conditional");
  const labelsOf = async (options: SampleOptions) =>
    (await sampler.sample(options)).map((sample) => sample.label);
  assertEquals(await labelsOf({ count: 3, label: 2 }), [2, 2, 2]);
  assertEquals(await labelsOf({ count: 2, label: "square" }), [1, 1]);
  assertEquals(await labelsOf({ count: 3, label: ["star", 0, 1] }), [2, 0, 1]);
  assertEquals(await labelsOf({ count: 4, seed: 5 }), [2, 0, 1, 2]);
  assertEquals(await labelsOf({ latents: [sampler.latent(9), sampler.latent(9)] }), [0, 1]);
  const [circle, star] = await sampler.sample({ seeds: [7, 7], label: ["circle", "star"] });
  assertNotEquals([...circle.values], [...star.values]);
});

Deno.test("Sampler.sample() needs a label where the number of classes is not known", async () => {
  await using sampler = await load("int32_label");
  assertEquals([sampler.info.conditional, sampler.info.classNames], [true, null]);
  await assertRejects(
    () => sampler.sample(),
    UserError,
    "int32_label.onnx without a label: it is a class's number",
  );
  await assertRejects(() => sampler.sample({ label: "cat" }), UserError, "it takes a number >= 0");
  await assertRejects(
    () => sampler.sample({ label: 9 }), // the runtime's own word: the file does not tell it before
    UserError,
    "int32_label.onnx on wasm: ONNX Runtime fails (",
  );
});

Deno.test("Sampler.sample() refuses requests that make no sense, each with its reason", async () => {
  await using sampler = await load("conditional");
  await using plain = await load("rgb");
  const refusals: [Sampler, unknown, string][] = [
    [sampler, { count: -1 }, "Cannot draw -1 samples: count takes an integer >= 0"],
    [sampler, { count: 1.5 }, "Cannot draw 1.5 samples"],
    [sampler, { seed: -1 }, "Cannot use seed -1: it takes an integer from 0 to 4294967295"],
    [sampler, { seed: NaN }, "Cannot use seed NaN"],
    [sampler, { seeds: [0, 2 ** 32] }, "Cannot use seed 4294967296"],
    [
      sampler,
      { seed: 4294967295, count: 2 },
      "Cannot draw 2 samples from seed 4294967295 on: seeds end at 4294967295",
    ],
    [sampler, { seed: 1, seeds: [2] }, "give count and seed, or seeds, or latents, not several"],
    [sampler, { latents: [[1, 2]] }, "Cannot use latent 0: it has 2 values, and the generator"],
    [
      sampler,
      { latents: [[1, 2, NaN, 4, 5, 6, 7, 8]] },
      "Cannot use latent 0: its number 2 is NaN",
    ],
    [
      sampler,
      { truncation: -1 },
      "Cannot truncate by -1: it takes a number from 0 to 1000, usually 0 to 1",
    ],
    [sampler, { batchSize: 0 }, "Cannot sample in batches of 0: it takes a positive integer"],
    [sampler, { label: 3 }, "Cannot use label 3: it takes 0 to 2 or one of circle, square, star"],
    [sampler, { label: "cube" }, 'Cannot use label "cube": it takes 0 to 2 or one of'],
    [sampler, { count: 3, label: [0, 1] }, "Cannot label sample 2: only 2 labels are given"],
    [plain, { label: 0 }, "rgb.onnx takes none"],
  ];
  for (const [of, options, message] of refusals) {
    await assertRejects(() => of.sample(options as SampleOptions), UserError, message);
  }
});

Deno.test("Sampler.stream() gives the same samples one by one, and can be left early", async () => {
  await using sampler = await load("points");
  const all = await sampler.sample({ count: 10, seed: 3 });
  const seen: number[] = [];
  for await (const sample of sampler.stream({ count: 4294967290, seed: 3, batchSize: 4 })) {
    assertNear(sample.values, all[sample.index].values, 1e-6);
    seen.push(sample.seed!);
    if (seen.length === 10) break;
  }
  assertEquals(seen, [3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
});

Deno.test("Sampler.stream() takes seeds and latents that never end", async () => {
  await using sampler = await load("points");
  function* even() {
    for (let seed = 0;; seed += 2) yield seed;
  }
  const seen: number[] = [];
  for await (const { seed } of sampler.stream({ seeds: even(), batchSize: 2 })) {
    seen.push(seed!);
    if (seen.length === 3) break;
  }
  assertEquals(seen, [0, 2, 4]);
});

Deno.test("Sampler.stream() keeps memory flat over many samples", async () => {
  const mod = new URL("../../src/sampler/mod.ts", import.meta.url).href;
  const script = `
    import { Sampler } from ${JSON.stringify(mod)};
    const options = { device: "wasm", threads: 1 };
    await using sampler = await Sampler.load(${JSON.stringify(`${FIXTURES}rgb.onnx`)}, options);
    const usedBytes = [];
    let count = 0;
    for await (const sample of sampler.stream({ count: 20_000 })) {
      if (sample.values.length !== 192 || ++count % 4000 !== 0) continue;
      gc();
      const { heapUsed, external } = Deno.memoryUsage();
      usedBytes.push(heapUsed + external);
    }
    console.log(JSON.stringify(usedBytes));
  `;
  const flags = ["--allow-read", "--v8-flags=--expose-gc"];
  const usedBytes: number[] = JSON.parse(await runScript(script, flags));
  assertEquals(usedBytes.length, 5);
  // All samples together are 15 MB of values, and as much again for their objects and latents.
  assertLess(usedBytes[4] - usedBytes[0], 1e6, `used bytes: ${usedBytes.join(", ")}`);
});

Deno.test("Sampler.sample() stops between runs when its signal says so", async () => {
  await using sampler = await load("points");
  const reason = new Error("enough");
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), 30);
  const error = await assertRejects(
    () => sampler.sample({ count: 3_000_000, batchSize: 64, signal: controller.signal }),
  );
  assert(error === reason);
  await assertRejects(() => sampler.sample({ signal: AbortSignal.abort(reason) }), Error, "enough");
});

Deno.test("Sampler.interpolate() takes seeds and latents, spherical for normal ones", async () => {
  await using sampler = await load("rgb");
  const path = sampler.interpolate([1, sampler.latent(2)], { frames: 5 });
  assertEquals([...path[0]], [...sampler.latent(1)]);
  assertEquals([...path[4]], [...sampler.latent(2)]);
  const length = (z: Float32Array) => Math.hypot(...z);
  assertNear([length(path[2])], [(length(path[0]) + length(path[4])) / 2], 1e-5);
  assertEquals((await sampler.sample({ latents: path })).length, 5);
  await using uniform = await load("points");
  const [, middle] = uniform.interpolate([1, 2], { frames: 3 });
  const [a, b] = [uniform.latent(1), uniform.latent(2)];
  assertNear(middle, a.map((value, i) => (value + b[i]) / 2), 1e-6);
  assertThrows(
    () => sampler.interpolate([1, new Float32Array(3)], { frames: 2 }),
    UserError,
    "Cannot interpolate: a latent has 3 values, and the generator takes 8",
  );
});

Deno.test("Sampler.selfTest() passes on a sound runtime and fails on other weights", async () => {
  await using sampler = await load("rgb", { selfTest: true });
  assertLess(await sampler.selfTest(), 1e-5);
  const bytes = fixture("rgb");
  const text = String.fromCharCode(...bytes);
  const at = text.indexOf('"values":[[') + '"values":[['.length;
  bytes.set(new TextEncoder().encode("9"), at + (text[at] === "-" ? 1 : 0)); // 0.12 -> 9.12
  await assertRejects(
    () => Sampler.load(bytes, { device: "wasm", selfTest: true }),
    UserError,
    "Cannot trust the given bytes on this device: its self-test fails, as value 0 of seed 0 is",
  );
  await using untested = await Sampler.load(bytes, { device: "wasm" });
  assertEquals((await untested.sample()).length, 1);
  await assertRejects(
    () => load("plain", { selfTest: true }),
    UserError,
    "plain.onnx: it has no ganforge manifest and so no self-test",
  );
});

Deno.test("Sampler.device reports threads, and why they are not those that were asked for", async () => {
  await using sampler = await load("rgb", { threads: 2 });
  const { name, threads, adapter } = sampler.device;
  assertEquals([name, adapter], ["wasm", null]);
  await using other = await load("rgb", { threads: threads + 1 });
  assertEquals(other.device.threads, threads);
  assertEquals(
    other.device.fallback,
    `${threads} instead of ${
      threads + 1
    } threads: ONNX Runtime has already started with ${threads}`,
  );
  await using same = await load("rgb", { threads });
  assertEquals(same.device.fallback, null);
});

Deno.test("Sampler.load() refuses options out of range", async () => {
  await assertRejects(
    () => load("rgb", { device: "tpu" as "wasm" }),
    UserError,
    'Cannot run on device "tpu": it takes auto, wasm or webgpu',
  );
  await assertRejects(
    () => load("rgb", { threads: 0 }),
    UserError,
    "Cannot run with 0 threads: it takes a positive integer",
  );
});

Deno.test("Sampler.load() says in words what ONNX Runtime has against a model", async () => {
  const modelOf = (op: string, opset: number) =>
    encodeModel({
      graph: {
        name: "graph",
        nodes: [{ op, inputs: ["z"], outputs: ["y"] }],
        initializers: [],
        inputs: [{ name: "z", dtype: "float32", dims: ["N", 4] }],
        outputs: [{ name: "y", dtype: "float32", dims: ["N", 4] }],
      },
      opset,
      irVersion: 8,
      producer: "test",
      producerVersion: "0",
    });
  const cases: [bytes: Uint8Array, reason: string][] = [
    [modelOf("Relu", 99), "its operators are of opset 99, and this version knows those up to "],
    [modelOf("Nonsense", 17), "No Op registered for Nonsense with domain_version of 17)"],
  ];
  for (const [bytes, reason] of cases) {
    await assertRejects(
      () => Sampler.load(bytes, { device: "wasm" }),
      UserError,
      `Cannot run the given bytes: ONNX Runtime refuses it (${reason}`,
    );
  }
});

Deno.test("Sampler.dispose() waits for runs, may be called again, and ends the sampler", async () => {
  const sampler = await load("rgb");
  const running = sampler.sample({ count: 100, batchSize: 100 });
  await Promise.all([sampler.dispose(), sampler.dispose()]);
  assertEquals((await running).length, 100);
  const error = await assertRejects(() => sampler.sample(), UserError);
  assertStringIncludes((error as Error).message, "the sampler is disposed");
});

Deno.test("Sampler works with many samplers and runs at once", async () => {
  const samplers = await Promise.all(["rgb", "gray", "points"].map((name) => load(name)));
  const lists = await Promise.all(
    samplers.flatMap((sampler) => [1, 2, 3].map((seed) => sampler.sample({ seed, count: 3 }))),
  );
  assertEquals(lists.map((list) => list.length), Array(9).fill(3));
  for (const sampler of samplers) await sampler.dispose();
});

Deno.test("Sampler.load() gives a sampler or a UserError for damaged weights and nodes", async () => {
  const whole = fixture("rgb");
  let state = 1;
  const next = (below: number) => (state = (state * 48271) % 0x7fffffff) % below;
  let drawn = 0, refused = 0;
  for (let run = 0; run < 60; run++) {
    const bytes = whole.slice();
    for (let edit = 0; edit < 3; edit++) bytes[next(run % 2 ? 400 : bytes.length)] = next(256);
    try {
      await using sampler = await Sampler.load(bytes, { device: "wasm" });
      assertEquals((await sampler.sample({ count: 2 })).length, 2);
      drawn++;
    } catch (error) {
      assert(error instanceof UserError, `${(error as Error).stack}`);
      assert(error.message.startsWith("Cannot ") && !error.message.includes("\n"), error.message);
      refused++;
    }
  }
  assert(drawn > 5 && refused > 5, `${drawn} drawn, ${refused} refused`);
  await using sampler = await load("rgb", { selfTest: true }); // and the runtime is still sound
  assertEquals((await sampler.sample()).length, 1);
});

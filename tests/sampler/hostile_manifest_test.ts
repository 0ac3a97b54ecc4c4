import { assert, assertMatch, assertRejects } from "@std/assert";
import { encodeModel } from "../../src/graph/protobuf.ts";
import { MANIFEST_KEY } from "../../src/manifest.ts";
import { Sampler, UserError } from "../../src/sampler/mod.ts";
import { fixture, load } from "./helpers.ts";

const MANIFEST = /\{"classNames".*\}|\{"formatVersion".*\}/s;

/** The manifest of rgb.onnx, as a value. */
function soundManifest(): Record<string, unknown> {
  const [text] = MANIFEST.exec(new TextDecoder("latin1").decode(fixture("rgb")))!;
  for (let end = text.length; end > 0; end = text.lastIndexOf("}", end - 1)) {
    try {
      return JSON.parse(text.slice(0, end + 1));
    } catch {
      // bytes of the file follow
    }
  }
  throw new Error("no manifest");
}

/** A generator of `[N, 8]` latents that gives them back, with any manifest and any latent length. */
function modelOf(manifest: unknown, dimension = 8): Uint8Array {
  return encodeModel({
    graph: {
      name: "graph",
      nodes: [{ op: "Identity", inputs: ["z"], outputs: ["y"] }],
      initializers: [],
      inputs: [{ name: "z", dtype: "float32", dims: ["N", dimension] }],
      outputs: [{ name: "y", dtype: "float32", dims: ["N", dimension] }],
    },
    opset: 17,
    irVersion: 8,
    producer: "test",
    producerVersion: "0",
    ...(manifest === null ? {} : { metadata: { [MANIFEST_KEY]: JSON.stringify(manifest) } }),
  });
}

Deno.test("Sampler.load() refuses a manifest that claims too much, before it asks for memory", async () => {
  const sound = soundManifest();
  const selfTest = sound.selfTest as Record<string, unknown>;
  const output = sound.output as Record<string, unknown>;
  const latent = sound.latent as Record<string, unknown>;
  const many = Array(100_000).fill(0);
  const cases: [change: Record<string, unknown>, reason: RegExp][] = [
    [
      { latent: { ...latent, dimension: 2 ** 31 } },
      /latent\.dimension is not an integer from 1 to/,
    ],
    [{ latent: { ...latent, dimension: 1e300 } }, /latent\.dimension is not an integer from 1 to/],
    [{ noise: { size: 2 ** 31 } }, /noise\.size is not an integer from 1 to/],
    [{ noise: { size: 2 ** 30 } }, /noise\.size is not an integer from 1 to/],
    [{ output: { ...output, shape: [3, 1e6, 1e6] } }, /output\.shape .* is more than \d+ values/],
    [
      { selfTest: { ...selfTest, seeds: many, values: many.map(() => [0]) } },
      /seeds is not 1 to 256/,
    ],
    [{ selfTest: { ...selfTest, seeds: [], values: [] } }, /seeds is not 1 to 256/],
    [{ selfTest: { ...selfTest, seeds: [2 ** 32], values: [[0]] } }, /integers from 0 to 2\^32/],
    [{ selfTest: { ...selfTest, seeds: [1.5], values: [[0]] } }, /integers from 0 to 2\^32/],
    [{ selfTest: { ...selfTest, seeds: [1], values: [many] } }, /has a list that is not 1 to \d+/],
    [{ selfTest: { ...selfTest, tolerance: -1 } }, /tolerance is not a number >= 0/],
    [{ classNames: [] }, /classNames is neither null nor a list/],
    [{ truncationMean: Array(8).fill(1e300) }, /truncationMean is not 8 numbers/],
  ];
  for (const [change, reason] of cases) {
    const before = Deno.memoryUsage().rss;
    const error = await assertRejects(
      () => Sampler.load(modelOf({ ...sound, ...change }), { device: "wasm" }),
      UserError,
    );
    assertMatch(error.message, /^Cannot load the given bytes: Cannot read the manifest as /);
    assertMatch(error.message, reason);
    assert(Deno.memoryUsage().rss - before < 5e8, error.message);
  }
});

Deno.test("Sampler.load() refuses a latent of 2^31 values, with or without a manifest", async () => {
  await assertRejects(
    () => Sampler.load(modelOf(null, 2 ** 31), { device: "wasm" }),
    UserError,
    "its latent has 2147483648 values, and at most 268435456 are allowed",
  );
});

Deno.test("Sampler.sample() refuses what no memory holds, and says how much it would be", async () => {
  await using sampler = await load("rgb");
  const cases: [options: Parameters<Sampler["sample"]>[0], message: RegExp][] = [
    [{ truncation: 1e300 }, /^Cannot truncate by 1e\+300: it takes a number from 0 to 1000/],
    [{ truncation: Infinity }, /^Cannot truncate by Infinity/],
    [
      { count: 4e9 },
      /^Cannot hold 4000000000 samples at once: they take [\d,.]+ GB, and at most 4.29/,
    ],
    [{ batchSize: 2 ** 31 }, /^Cannot sample in batches of 2147483648: one takes [\d,.]+ GB/],
  ];
  for (const [options, message] of cases) {
    const error = await assertRejects(() => sampler.sample(options), UserError);
    assertMatch(error.message, message);
  }
});

/** Files of other programs: every layout, label, type and extra input that the sampler takes or refuses. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { OnnxGraph, OnnxNode, OnnxTensor, OnnxType } from "../../src/graph/onnx_graph.ts";
import { encodeModel } from "../../src/graph/protobuf.ts";
import { type LoadOptions, Sampler, UserError } from "../../src/sampler/mod.ts";
import { fromHalf, toHalf } from "../../src/sampler/tensors.ts";
import { assertNear } from "./helpers.ts";

type Value = [name: string, dtype: OnnxType, dims: (number | string)[]];

/** A small model; a node is an operator, its inputs and its output. */
function modelOf({ inputs, outputs, nodes, initializers = [] }: {
  inputs: Value[];
  outputs: Value[];
  nodes: (Omit<OnnxNode, "outputs" | "inputs"> & { inputs: string[]; outputs: string[] })[];
  initializers?: OnnxTensor[];
}): Uint8Array {
  const value = ([name, dtype, dims]: Value) => ({ name, dtype, dims });
  const graph: OnnxGraph = {
    name: "graph",
    nodes,
    initializers,
    inputs: inputs.map(value),
    outputs: outputs.map(value),
  };
  return encodeModel({ graph, opset: 17, irVersion: 8, producer: "other", producerVersion: "1" });
}

const shapeOf = (name: string, dims: number[]): OnnxTensor => ({
  name,
  dtype: "int64",
  dims: [dims.length],
  data: BigInt64Array.from(dims, BigInt),
});

/** A generator that gives its latent of 12 values in another shape, through `cast` and back. */
function reshaping(shape: number[], dims: (number | string)[] = ["N", ...shape]): Uint8Array {
  return modelOf({
    inputs: [["z", "float32", ["N", 12]]],
    outputs: [["y", "float32", dims]],
    nodes: [{ op: "Reshape", inputs: ["z", "shape"], outputs: ["y"] }],
    initializers: [shapeOf("shape", [-1, ...shape])],
  });
}

function open(bytes: Uint8Array, options: LoadOptions = {}): Promise<Sampler> {
  return Sampler.load(bytes, { device: "wasm", ...options });
}

Deno.test("Sampler recognizes channels on the last axis, and brings them to the front", async () => {
  for (const dims of [["N", 2, 2, 3], ["N", "H", "W", 3], ["N", "H", "W", "C"]]) {
    await using sampler = await open(reshaping([2, 2, 3], dims));
    assertEquals([sampler.info.output.kind, sampler.info.output.shape], ["image", [3, 2, 2]]);
    assertEquals(sampler.info.warnings, [
      "the last axis of its output [N, 2, 2, 3] is taken for channels (assume.layout)",
    ]);
    const [image] = await sampler.sample({ seed: 7, count: 2 });
    const z = sampler.latent(7);
    const expected = [0, 1, 2].flatMap((c) => [0, 1, 2, 3].map((pixel) => z[pixel * 3 + c]));
    assertEquals([...image.values], expected);
  }
  await using assumed = await open(reshaping([2, 2, 3]), { assume: { layout: "NHWC" } });
  assertEquals(assumed.info.warnings, []);
  // [N, 3, 1, 4]: channels first by default.
  await using first = await open(reshaping([3, 1, 4]));
  assertEquals(first.info.output.shape, [3, 1, 4]);
  await using last = await open(reshaping([3, 1, 4]), { assume: { layout: "NHWC" } });
  assertEquals(last.info.output.shape, [4, 3, 1]);
  await using none = await open(reshaping([2, 2, 3]), { assume: { layout: "NCHW" } });
  assertEquals([none.info.output.kind, none.info.output.shape], ["sample", [2, 2, 3]]);
});

Deno.test("Sampler makes an image of [N, 12] when the shape and the range are assumed", async () => {
  await using plain = await open(reshaping([12]));
  assertEquals(plain.info.output.kind, "sample");
  const assume = { shape: [2, 2, 3], range: [0, 1] as [number, number] };
  await using sampler = await open(reshaping([12]), { assume });
  const { kind, shape, range } = sampler.info.output;
  assertEquals([kind, shape, range], ["image", [3, 2, 2], [0, 1]]);
  const latents = [Array.from({ length: 12 }, (_, i) => i / 11)];
  const [image] = await sampler.sample({ latents });
  assertEquals([...image.toRaster().data], latents[0].map((value) => Math.round(value * 255)));
  await assertRejects(
    () => open(reshaping([12]), { assume: { shape: [28, 28, 1] } }),
    UserError,
    "a sample has [12] values, and assume.shape is [28, 28, 1]",
  );
});

/** `y = concat(z, label)` with a one-hot label. */
const oneHot = () =>
  modelOf({
    inputs: [["c", "float32", ["N", 3]], ["z", "float32", ["N", 4]]],
    outputs: [["y", "float32", ["N", 7]]],
    nodes: [{ op: "Concat", inputs: ["z", "c"], outputs: ["y"], attributes: { axis: 1 } }],
  });

Deno.test("Sampler feeds one-hot labels, and says how to ask for them", async () => {
  const error = await assertRejects(() => open(oneHot()), UserError);
  assertMatch(
    error.message,
    /it has 2 float inputs .* one-hot label \(assume: \{ label: "one-hot" \}\)/,
  );
  await using sampler = await open(oneHot(), { assume: { label: "one-hot" } });
  assertEquals([sampler.info.conditional, sampler.info.classNames], [true, ["0", "1", "2"]]);
  const samples = await sampler.sample({ seeds: [5, 6], label: [2, 0] });
  assertEquals(samples.map(({ values }) => [...values.subarray(4)]), [[0, 0, 1], [1, 0, 0]]);
  assertEquals([...samples[0].values.subarray(0, 4)], [...sampler.latent(5)]);
  await assertRejects(() => sampler.sample({ label: 3 }), UserError, "Cannot use label 3");
  const swapped = await open(oneHot(), { assume: { label: "one-hot", latent: "c" } });
  assertEquals(swapped.info.latent.dimension, 3);
  await swapped.dispose();
});

/** `y = z * truncation_psi + bias`, where `bias` is an input of one value a sample. */
const withFeeds = () =>
  modelOf({
    inputs: [
      ["z", "float32", ["N", 4]],
      ["truncation_psi", "float32", []],
      ["bias", "float32", ["N", 1]],
    ],
    outputs: [["y", "float32", ["N", 4]]],
    nodes: [
      { op: "Mul", inputs: ["z", "truncation_psi"], outputs: ["m"] },
      { op: "Add", inputs: ["m", "bias"], outputs: ["y"] },
    ],
  });

Deno.test("Sampler feeds other inputs by name: truncation by itself, the rest as they are given", async () => {
  await assertRejects(
    () => open(withFeeds()),
    UserError,
    "2 float inputs that could be the latent",
  );
  await using sampler = await open(withFeeds(), { assume: { feeds: { bias: 3 } } });
  assertEquals(sampler.info.feeds, ["truncation_psi", "bias"]);
  assertMatch(sampler.info.warnings[0], /"truncation_psi" is fed 1 \(assume.feeds gives another/);
  const z = [...sampler.latent(2)];
  const [plain] = await sampler.sample({ seed: 2 });
  assertNear(plain.values, z.map((value) => value + 3), 1e-6);
  const feeds = { truncation_psi: 0.5, bias: [10, 20] };
  const both = await sampler.sample({ seeds: [2, 2], feeds });
  assertNear(both[0].values, z.map((value) => value / 2 + 10), 1e-6);
  assertNear(both[1].values, z.map((value) => value / 2 + 20), 1e-6);
  const refusals: [feeds: Record<string, number | number[]>, message: string][] = [
    [{ psi: 1 }, 'Cannot feed the input "psi": it has truncation_psi, bias'],
    [
      { bias: [1, 2, 3] },
      'Cannot feed the input "bias": it takes one number or 1, and it is given 3',
    ],
    [{ bias: NaN }, 'Cannot feed the input "bias": its element 0 is not a finite number'],
  ];
  for (const [wrong, message] of refusals) {
    await assertRejects(() => sampler.sample({ feeds: wrong }), UserError, message);
  }
  await assertRejects(
    () => open(withFeeds(), { assume: { feeds: { gamma: 1 } } }),
    UserError,
    'it has no input "gamma"',
  );
});

Deno.test("Sampler feeds and reads float16 and float64", async () => {
  const half = modelOf({
    inputs: [["z", "float16", ["N", 4]]],
    outputs: [["y", "float16", ["N", 4]]],
    nodes: [{ op: "Identity", inputs: ["z"], outputs: ["y"] }],
  });
  // float64 is no type of our writer: its number in onnx.proto, 11, takes the place of float32's.
  const double = modelOf({
    inputs: [["z", "float32", ["N", 4]]],
    outputs: [["y", "float32", ["N", 4]]],
    nodes: [{ op: "Identity", inputs: ["z"], outputs: ["y"] }],
  });
  for (let at = 0; at + 3 < double.length; at++) {
    const isType = double[at] === 0x08 && double[at + 1] === 1 && double[at + 2] === 0x12;
    if (isType) double[at + 1] = 11;
  }
  for (const [bytes, tolerance] of [[half, 2e-3], [double, 1e-7]] as const) {
    await using sampler = await open(bytes);
    assertEquals(sampler.info.output.dtype, "float32");
    const [sample] = await sampler.sample({ seed: 3 });
    assert(sample.values instanceof Float32Array);
    assertNear(sample.values, sampler.latent(3), tolerance);
  }
  for (const value of [0, -0, 1, -2, 65504, 65520, 1e-7, 2 ** -24, 2 ** -14, 0.1, Infinity, NaN]) {
    const expected = value === 65520 ? Infinity : Number(new Float16Array([value])[0]);
    assertEquals(fromHalf(toHalf(value)), expected, `${value}`);
  }
});

Deno.test("Sampler shows the image where it is the second output, or the one that is named", async () => {
  const bytes = modelOf({
    inputs: [["z", "float32", ["N", 12]]],
    outputs: [["w", "float32", ["N", 12]], ["image", "float32", ["N", 3, 2, 2]]],
    nodes: [
      { op: "Identity", inputs: ["z"], outputs: ["w"] },
      { op: "Reshape", inputs: ["z", "shape"], outputs: ["image"] },
    ],
    initializers: [shapeOf("shape", [-1, 3, 2, 2])],
  });
  await using sampler = await open(bytes);
  assertEquals(sampler.info.output.shape, [3, 2, 2]);
  assertEquals(sampler.info.warnings, ['its output "image" is shown, as "w" is no image']);
  await using named = await open(bytes, { assume: { output: "w" } });
  assertEquals([named.info.output.shape, named.info.warnings], [[12], []]);
  await assertRejects(
    () => open(bytes, { assume: { output: "x" } }),
    UserError,
    'it has no output "x"; it has "w" (float32 [N, 12]), "image" (float32 [N, 3, 2, 2])',
  );
});

Deno.test("Sampler warns of random operators and of batch norm in training mode", async () => {
  const four = (name: string): OnnxTensor => ({
    name,
    dtype: "float32",
    dims: [4],
    data: new Float32Array(4).fill(1),
  });
  const bytes = modelOf({
    inputs: [["z", "float32", ["N", 4]]],
    outputs: [["y", "float32", ["N", 4]]],
    nodes: [
      { op: "RandomNormalLike", inputs: ["z"], outputs: ["r"] },
      { op: "Add", inputs: ["z", "r"], outputs: ["s"] },
      {
        op: "BatchNormalization",
        inputs: ["s", "scale", "bias", "mean", "variance"],
        outputs: ["y", "m", "v"],
        attributes: { training_mode: 1 },
      },
    ],
    initializers: ["scale", "bias", "mean", "variance"].map(four),
  });
  await using sampler = await open(bytes);
  assertEquals(sampler.info.warnings, [
    "it draws random numbers of its own (RandomNormalLike): a seed gives other samples each time",
    "its BatchNormalization is in training mode: a sample depends on the others of its batch",
  ]);
  assertEquals((await sampler.sample({ count: 4 })).length, 4);
});

/** Runs `deno task sample` in a folder with a model. */
async function runTask(bytes: Uint8Array, args: string[]) {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeFile(`${folder}/m.onnx`, bytes);
    const root = new URL("../../", import.meta.url).pathname;
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["task", "--quiet", "sample", `${folder}/m.onnx`, "--device", "wasm", ...args],
      cwd: root,
      env: { NO_COLOR: "1" },
    }).output();
    const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    const files = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
    return { code, said: said.replaceAll(folder, ""), files };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("deno task sample takes what a file does not tell, and refuses images too large", async () => {
  const nhwc = await runTask(reshaping([12]), [
    "--shape",
    "2,2,3",
    "--layout",
    "nhwc",
    "--range",
    "0,1",
  ]);
  assertEquals([nhwc.code, nhwc.files], [0, ["m.onnx", "sampled.png"]], nhwc.said);
  const fed = await runTask(withFeeds(), ["--feed", "bias=3", "--feed", "truncation_psi=0.5"]);
  assertEquals([fed.code, fed.files], [0, ["m.onnx", "sampled.csv"]], fed.said);
  const guessed = await runTask(reshaping([2, 2, 3]), []);
  assertMatch(guessed.said, /warning {3}the last axis of its output \[N, 2, 2, 3\] is taken for/);
  const large = await runTask(reshaping([2, 2, 3]), ["--count", "900000", "--scale", "64"]);
  assertEquals([large.code, large.files], [2, ["m.onnx"]]);
  assertMatch(large.said, /the image would be \d+ x \d+ pixels, [\d.]+ GB, and at most 0.268 GB/);
  for (
    const [args, message] of [
      [["--range", "1"], /Cannot use --range 1: expected LOW,HIGH like 0,1/],
      [["--shape", "2,x"], /Cannot use --shape 2,x: expected numbers with commas/],
      [["--feed", "bias"], /Cannot use --feed bias: expected NAME=NUMBER/],
      [["--layout", "hwc"], /--layout is hwc/],
    ] as const
  ) {
    const { code, said } = await runTask(withFeeds(), [...args]);
    assertEquals(code, 2);
    assertMatch(said, message);
  }
});

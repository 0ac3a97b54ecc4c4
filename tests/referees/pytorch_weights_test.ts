/** Exported weights in PyTorch, by the script of examples/pytorch: it computes what the trainer computes. */
import { assertEquals, assertLess } from "@std/assert";
import { buildNetwork, initialParameters } from "../../src/nn/mod.ts";
import { applyNetwork } from "../../src/nn/mod.ts";
import { encodeSafetensors } from "../../src/run/safetensors.ts";
import { toTorchWeights } from "../../src/pipeline/torch_weights.ts";
import { fillNormal } from "../../src/random/counter_random.ts";
import { tf } from "../../src/tensor/tf.ts";
import type { HostTensors } from "../../src/tensor/types.ts";
import { withPrefix } from "../../src/training/tensor_names.ts";

const PYTHON = "/usr/bin/python3";
const script = new URL("../../examples/pytorch/load_weights.py", import.meta.url).pathname;

async function hasTorch(): Promise<boolean> {
  try {
    const args = ["-c", "import torch"];
    return (await new Deno.Command(PYTHON, { args, stderr: "null" }).output()).success;
  } catch {
    return false;
  }
}
const torchIsThere = await hasTorch();

const generator = buildNetwork({
  inputShape: [5],
  init: "he-normal",
  layers: [
    { type: "dense", units: 48 },
    { type: "batch-norm" },
    { type: "activation", fn: "relu" },
    { type: "reshape", shape: [3, 4, 4] },
    { type: "conv-transpose", filters: 6, kernel: 4, stride: 2, padding: 1 },
    { type: "batch-norm" },
    { type: "activation", fn: "leaky-relu", alpha: 0.2 },
    { type: "upsample", factor: 2, mode: "bilinear" },
    { type: "conv", filters: 4, kernel: 3, padding: 1, groups: 2 },
    { type: "activation", fn: "tanh" },
    { type: "flatten" },
    { type: "dense", units: 7 },
  ],
});

/** Random weights, statistics too: variances have to be positive. */
function randomWeights(): HostTensors {
  return Object.fromEntries(
    Object.entries(initialParameters(generator, 1)).map(([name, tensor], stream) => {
      const data = fillNormal(new Float32Array(tensor.data.length), { seed: 3, stream, step: 0 });
      const positive = name.endsWith("variance") ? data.map((x) => 0.5 + x * x) : data;
      return [name, { ...tensor, data: positive }];
    }),
  );
}

Deno.test({
  name: `examples/pytorch gives what the trainer gives${
    torchIsThere ? "" : ": there is no PyTorch"
  }`,
  ignore: !torchIsThere,
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const weights = randomWeights();
      const [file, latentFile, sampleFile] = ["w.safetensors", "z.json", "x.json"].map((name) =>
        `${folder}/${name}`
      );
      const tensors = toTorchWeights({ generator }, withPrefix("generator", weights));
      const metadata = { format: "pt", generator: JSON.stringify(generator.spec) };
      await Deno.writeFile(file, encodeSafetensors(tensors, metadata));
      const latents = fillNormal(new Float32Array(4 * 5), { seed: 4, stream: 1, step: 0 });
      const rows = Array.from({ length: 4 }, (_, i) => [...latents.subarray(5 * i, 5 * i + 5)]);
      await Deno.writeTextFile(latentFile, JSON.stringify(rows));

      const { success, stderr } = await new Deno.Command(PYTHON, {
        args: [script, file, latentFile, sampleFile],
      }).output();
      assertEquals(success, true, new TextDecoder().decode(stderr));
      const theirs: number[] = JSON.parse(await Deno.readTextFile(sampleFile)).flat();

      await tf.setBackend("cpu");
      const ours = tf.tidy(() => {
        const params = Object.fromEntries(
          Object.entries(weights).map(([name, { data, shape }]) => [name, tf.tensor(data, shape)]),
        );
        const { output } = applyNetwork(generator, params, tf.tensor(latents, [4, 5]), {
          training: false,
        });
        return output.dataSync();
      });
      assertEquals(theirs.length, ours.length);
      const scale = Math.max(...ours.map(Math.abs));
      ours.forEach((value, i) => assertLess(Math.abs(value - theirs[i]), 1e-5 * scale));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/**
 * onnxruntime-node, the native runtime, must give the file's own self-test. It is no dependency of this
 * project (it has hundreds of megabytes): the test looks for it in `node_modules` of the working directory
 * and of GANFORGE_REFEREES, a folder where `npm install onnxruntime-node` was run.
 */
import { assertEquals } from "@std/assert";
import { createRequire } from "node:module";
import type * as Ort from "onnxruntime-web";
import { MANIFEST_KEY, parseManifest } from "../../src/manifest.ts";
import { decodeModel } from "../export/protobuf_reader.ts";
import { fillLatent } from "../../src/random/latents.ts";
import { exportedFiles, OPSETS } from "./exported_files.ts";

type OrtModule = typeof Ort;

function loadNative(): OrtModule | null {
  for (const folder of [Deno.env.get("GANFORGE_REFEREES"), Deno.cwd()]) {
    if (folder === undefined) continue;
    try {
      return createRequire(`file://${folder}/`)("onnxruntime-node");
    } catch (error) {
      if (!String(error).includes("Cannot find module")) throw error;
    }
  }
  return null;
}

const ort = loadNative();
if (ort === null) console.warn("no onnxruntime-node here: its checks are left out");

async function largestFault(native: OrtModule, bytes: Uint8Array): Promise<number> {
  const { metadata } = decodeModel(bytes);
  const { latent, selfTest } = parseManifest(metadata![MANIFEST_KEY]);
  const { seeds, labels, values, tolerance } = selfTest;
  const latents = new Float32Array(seeds.length * latent.dimension);
  seeds.forEach((seed, index) =>
    fillLatent(latents.subarray(index * latent.dimension, (index + 1) * latent.dimension), {
      seed,
      distribution: latent.distribution,
    })
  );
  const feeds: Record<string, Ort.Tensor> = {
    latent: new native.Tensor("float32", latents, [seeds.length, latent.dimension]),
  };
  if (labels) {
    const numbers = BigInt64Array.from(labels, BigInt);
    feeds.label = new native.Tensor("int64", numbers, [seeds.length]);
  }
  const session = await native.InferenceSession.create(bytes, { logSeverityLevel: 3 });
  const [output] = Object.values(await session.run(feeds));
  await session.release();
  const data = output.data as ArrayLike<number>;
  const size = data.length / seeds.length;
  let worst = 0;
  values.forEach((row, sample) =>
    row.forEach((value, index) => {
      worst = Math.max(worst, Math.abs(data[sample * size + index] - value));
    })
  );
  return worst / tolerance;
}

Deno.test({
  name: "onnxruntime-node computes what exported files say of themselves",
  ignore: ort === null,
  async fn() {
    const wrong: string[] = [];
    for await (const { name, bytes } of exportedFiles(OPSETS)) {
      const fault = await largestFault(ort!, bytes);
      if (!(fault <= 1)) wrong.push(`${name}: ${fault} times the tolerance`);
    }
    assertEquals(wrong, []);
  },
});

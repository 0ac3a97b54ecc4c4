/** onnxruntime-web on WebGPU, hardware or software, must give the self-test of every preset's file. */
import { assert } from "@std/assert";
import { exportOnnx } from "../../src/onnx/mod.ts";
import { Sampler } from "../../src/sampler/mod.ts";
import { presetGenerators, trainedNetwork } from "../onnx/networks.ts";

/** Software adapters take too long for more operations a sample. */
const MAX_FLOPS = 3e8;

const adapter = await navigator.gpu?.requestAdapter();
if (!adapter) console.warn("no WebGPU adapter here: its judgement is left out");

Deno.test({
  name: "onnxruntime-web on WebGPU computes what the presets' files say of themselves",
  ignore: !adapter,
  sanitizeOps: false, // the runtime keeps its device
  sanitizeResources: false,
  async fn(t) {
    for (const { name, spec, distribution, flops } of presetGenerators()) {
      await t.step({
        name,
        ignore: flops > MAX_FLOPS,
        sanitizeOps: false,
        sanitizeResources: false,
        async fn() {
          const { weights } = trainedNetwork(spec, 1);
          const model = await exportOnnx({ spec, weights }, { generator: { distribution } });
          await using sampler = await Sampler.load(model.bytes, {
            device: "webgpu",
            selfTest: true,
          });
          assert(sampler.device.name === "webgpu");
        },
      });
    }
  },
});

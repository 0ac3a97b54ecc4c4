/** The compiled engines make of every layer, and of its first and second derivatives, what PyTorch does. */
import { createOnnxEngine } from "../../src/engine/onnx/mod.ts";
import type { Engine } from "../../src/engine/types.ts";
import { openWebGpu } from "../../src/engine/webgpu/device.ts";
import { createWebGpuEngine } from "../../src/engine/webgpu/engine.ts";
import { GPU_TUNING, SOFTWARE_TUNING } from "../../src/engine/webgpu/tuning.ts";
import {
  assertLayerOutputs,
  inputsOf,
  type LayerCase,
  layerCases,
  layerFunction,
  networkOf,
} from "../nn/layer_cases.ts";

async function check(golden: LayerCase, engine: Engine): Promise<void> {
  const inputs = inputsOf(golden);
  const specs = Object.fromEntries(
    Object.entries(inputs).map(([name, { shape, dtype }]) => [name, { shape, dtype }]),
  );
  const compiled = await engine.compileFunction(layerFunction(golden, networkOf(golden)), specs);
  assertLayerOutputs(golden, await compiled.run(inputs));
  await compiled.dispose();
}

const hasAdapter = await openWebGpu() !== undefined;

for (const golden of layerCases) {
  Deno.test(`the ONNX engine gives PyTorch's values: ${golden.name}`, async () =>
    check(golden, await createOnnxEngine({ threads: 1 })));
  for (const tuning of [SOFTWARE_TUNING, GPU_TUNING]) {
    Deno.test({
      name:
        `the WebGPU engine, by tiles in ${tuning.family}, gives PyTorch's values: ${golden.name}${
          hasAdapter ? "" : " (no adapter)"
        }`,
      ignore: !hasAdapter,
      fn: async () => check(golden, await createWebGpuEngine({ tuning })),
    });
  }
}

/** One process has one number of threads in onnxruntime-web, and everybody reports that one. */
import { assertEquals } from "@std/assert";
import { FIXTURES, runScript } from "../sampler/helpers.ts";

const IMPORTS = `
import { createOnnxEngine } from ${
  JSON.stringify(import.meta.resolve("../../src/engine/onnx/mod.ts"))
};
import { openModel } from ${JSON.stringify(import.meta.resolve("../../src/ort/model_session.ts"))};
import { Sampler } from ${JSON.stringify(import.meta.resolve("../../src/sampler/mod.ts"))};
const file = ${JSON.stringify(`${FIXTURES}rgb.onnx`)};
const engine = async (threads) => {
  const { description } = await createOnnxEngine({ runtime: "web", threads });
  console.log(description.match(/\\d+ threads?/)[0]);
};
const sampler = async (threads) => {
  const { device } = await Sampler.load(file, { device: "wasm", threads });
  console.log(device.threads + "; " + device.fallback);
};
`;

async function printed(calls: string): Promise<string[]> {
  const script = `${IMPORTS}\n${calls}\nDeno.exit(0);`;
  return (await runScript(script, ["-A", "--no-check", "--no-lock"])).split("\n");
}

Deno.test("Sampler.device.threads is the number that an engine has started ONNX Runtime with", async () => {
  assertEquals(await printed("await engine(1); await sampler(2); await sampler(1);"), [
    "1 thread",
    "1; 1 instead of 2 threads: ONNX Runtime has already started with 1",
    "1; null",
  ]);
});

Deno.test("An engine's description names the threads that a sampler has started ONNX Runtime with", async () => {
  assertEquals(await printed("await sampler(2); await engine(1); await sampler(3);"), [
    "2; null",
    "2 threads",
    "2; 2 instead of 3 threads: ONNX Runtime has already started with 2",
  ]);
});

Deno.test("The check of an exported file starts ONNX Runtime for all that follow", async () => {
  const cores = navigator.hardwareConcurrency;
  const threads = cores + 1;
  const calls = `await openModel(await Deno.readFile(file)); await sampler(${threads});`;
  assertEquals(await printed(calls), [
    `${cores}; ${cores} instead of ${threads} threads: ONNX Runtime has already started with ${cores}`,
  ]);
});

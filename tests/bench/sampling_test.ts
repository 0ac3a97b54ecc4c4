import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import type * as Ort from "onnxruntime-web";
import { measureCold } from "../../bench/sampling/cold.ts";
import { median, timeWebRuntime } from "../../bench/sampling/loop.ts";
import { type Plan, readPlan, spec } from "../../bench/sampling/plan.ts";
import { measureSpeeds, type Speeds, speedTable } from "../../bench/sampling/speeds.ts";
import { UserError } from "../../src/errors.ts";
import { Sampler } from "../../src/sampler/mod.ts";
import { parseCommand } from "../../cli/command.ts";

const MODEL = new URL("../../fixtures/sampler/rgb.onnx", import.meta.url).pathname;

function plan(...args: string[]): Plan {
  return readPlan(parseCommand(spec, args));
}

Deno.test("timeWebRuntime() times a sampler beside a bare session, batch by batch", async () => {
  await using sampler = await Sampler.load(MODEL, { device: "wasm", threads: 1 });
  const ort: typeof Ort = await import("onnxruntime-web");
  const session = await ort.InferenceSession.create(await Deno.readFile(MODEL));
  const speeds = await timeWebRuntime({ sampler, session, ort, batches: [1, 64], seconds: 0.01 });
  await session.release();
  assertEquals(speeds.map(({ batch }) => batch), [1, 64]);
  for (const { bareMs, samplerMs, ratios } of speeds) {
    assert(bareMs > 0 && samplerMs > 0 && ratios.length >= 3);
    assert(median(ratios) > 0);
  }
});

Deno.test("measureCold() gives stages that add up", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.copyFile(MODEL, `${folder}/mnist-mlp-fp32.onnx`);
    const asked = plan("mnist-mlp", "--threads", "1", "--rounds", "1");
    const [{ name, threads, loadAndImage, process, session, ...rest }] = await measureCold(
      asked,
      folder,
    );
    assertEquals([name, threads], ["mnist-mlp", 1]);
    const { denoStarts, ...stages } = rest;
    const sum = Object.values(stages).reduce((a, b) => a + b, 0);
    assert(Math.abs(sum - loadAndImage) < 0.01, `${sum} and ${loadAndImage}`);
    for (const ms of [...Object.values(stages), denoStarts, session]) assert(ms > 0);
    assert(process > denoStarts + loadAndImage);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("measureSpeeds() names an engine that is not there", async () => {
  const asked = plan(
    "mnist-mlp",
    "--engines",
    "pytorch",
    "--python",
    "/no/python",
    "--rounds",
    "1",
  );
  const speeds = await measureSpeeds(asked, "/no/folder");
  assertEquals(speeds, { speeds: [], engines: {}, missing: { pytorch: "there is no /no/python" } });
});

Deno.test("speedTable() gives samples a second beside PyTorch's, and what is not there", () => {
  const asked = plan("mnist-mlp", "--engines", "pytorch,deno,onnx-node", "--threads", "2");
  const common = { name: "mnist-mlp", threads: 2 } as const;
  const measured: Speeds = {
    speeds: [
      { ...common, batch: 1, engine: "pytorch", bareMs: 0.5 },
      { ...common, batch: 64, engine: "pytorch", bareMs: 4 },
      { ...common, batch: 1, engine: "deno", bareMs: 1, samplerMs: 1.25, overhead: 0.2 },
      { ...common, batch: 64, engine: "deno", bareMs: 8, samplerMs: 7.9, overhead: -0.012 },
    ],
    engines: { pytorch: "PyTorch 0", deno: "web 0" },
    missing: { "onnx-node": "there is no such package" },
  };
  const [header, , ...rest] = speedTable(asked, measured).split("\n");
  assertEquals(header, "| samples a second | mnist-mlp, batch 1 | mnist-mlp, batch 64 |");
  assertEquals(rest.slice(0, 4), [
    "| PyTorch, 2 threads | 2,000 | 16,000 |",
    "| onnxruntime-node, 2 threads | not there | not there |",
    "| wasm in Deno, bare session, 2 threads | 1,000 (0.50) | 8,000 (0.50) |",
    "| wasm in Deno, Sampler, 2 threads | 800 (0.40, +20.0%) | 8,101 (0.51, -1.2%) |",
  ]);
  assertMatch(rest.join("\n"), /onnx-node: not there: there is no such package/);
});

Deno.test("readPlan() refuses what cannot be measured", () => {
  const refusals: [string[], string][] = [
    [["ring-2d"], "Cannot measure ring-2d: the cases are mnist-mlp, cifar-dcgan"],
    [
      ["--engines", "jax"],
      "Cannot measure jax: the engines are pytorch, onnx-node, deno, chromium",
    ],
    [["--threads", "1,0"], "Cannot measure: --threads is 1,0, expected numbers such as 1,2"],
  ];
  for (const [args, message] of refusals) assertThrows(() => plan(...args), UserError, message);
});

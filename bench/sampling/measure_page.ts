/// <reference lib="dom" />
/**
 * Draws from one file in a cross-origin isolated page of headless Chromium, and prints a JSON line.
 *
 *     deno run --allow-all bench/sampling/measure_page.ts CHROMIUM MODEL THREADS SECONDS BATCHES
 *
 * All permissions, as the browser's driver reads /proc.
 */
import { stripTypeScriptTypes } from "node:module";
import { chromium } from "playwright-core";
import { serveSite } from "../../examples/site/serve.ts";
import { buildSite } from "../../examples/site/build.ts";

const [executablePath, model, threadsText, secondsText, batchesText] = Deno.args;
const site = await buildSite(false);
const loop = await Deno.readTextFile(new URL("loop.ts", import.meta.url));
site.set("bench/loop.js", {
  type: "text/javascript; charset=utf-8",
  body: new TextEncoder().encode(stripTypeScriptTypes(loop)),
});
const server = serveSite(site, {
  port: 0,
  isolated: true,
  files: new Map([["generator.onnx", model]]),
});
const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
});
try {
  const page = await browser.newPage();
  const origin = `http://127.0.0.1:${server.addr.port}`;
  await page.goto(`${origin}/bench/`); // a 404 of the same origin and policy, with no script in it
  const measured = await page.evaluate(async ({ origin, threads, seconds, batches }) => {
    const { Sampler } = await import(`${origin}/src/sampler/mod.js`);
    const { timeWebRuntime } = await import(`${origin}/bench/loop.js`);
    const ort = await import(`${origin}/ort/ort.wasm.bundle.min.mjs`);
    const url = `${origin}/generator.onnx`;
    const sampler = await Sampler.load(url, { device: "wasm", threads });
    if (sampler.device.threads !== threads) throw new Error(sampler.device.fallback);
    const session = await ort.InferenceSession.create(url);
    const speeds = await timeWebRuntime({ sampler, session, ort, batches, seconds });
    return { version: ort.env.versions.web ?? ort.env.versions.common, speeds };
  }, {
    origin,
    threads: Number(threadsText),
    seconds: Number(secondsText),
    batches: batchesText.split(",").map(Number),
  });
  const description = `onnxruntime-web ${measured.version} (wasm), Chromium ${browser.version()}`;
  console.log(JSON.stringify({ description, speeds: measured.speeds }));
} finally {
  await browser.close();
  await server.shutdown();
}

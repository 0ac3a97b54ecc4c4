/**
 * Loads a sampler in a page of headless Chromium and prints, as JSON, what it runs on and one sample. A
 * process of its own: see browser_script.ts. Arguments: Chromium's path, the page's origin.
 */
import { chromium } from "playwright-core";

const [executablePath, origin] = Deno.args;
const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
});
try {
  const page = await browser.newPage();
  await page.goto(`${origin}/src/`); // a 404 of the same origin and policy, with no script in it
  const seen = await page.evaluate(async (origin) => {
    const { Sampler } = await import(`${origin}/src/sampler/mod.js`);
    const options = { device: "wasm", threads: 2 };
    const sampler = await Sampler.load(`${origin}/generator.onnx`, options);
    const again = await Sampler.load(`${origin}/generator.onnx`, options);
    const [image] = await again.sample({ seed: 7, label: 0 });
    return { isolated: crossOriginIsolated, device: sampler.device, values: [...image.values] };
  }, origin);
  console.log(JSON.stringify(seen));
} finally {
  await browser.close();
}

/// <reference lib="dom" />
/**
 * Drives examples/web in headless Chromium and prints what it saw as JSON. A process of its own: the
 * driver reads /proc, which Deno allows only with all permissions, and the tests run without them.
 *
 * Arguments: Chromium's path, the page's origin, and the paths of a bad file and of a generator of points.
 */
import { chromium, type Page } from "playwright-core";

const [executablePath, origin, badFile, pointsFile] = Deno.args;
const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
});

/** The RGBA bytes of a canvas. */
function pixels(page: Page, selector: string): Promise<number[]> {
  return page.$eval(selector, (element) => {
    const canvas = element as HTMLCanvasElement;
    return Array.from(
      canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height).data,
    );
  });
}

const firstImage = "#gallery button:first-child canvas";

/** Waits until gallery and preview are drawn, and gives the pixels of one canvas. */
async function settled(page: Page, selector: string): Promise<number[]> {
  await page.waitForFunction(() =>
    document.querySelector("#gallery canvas") !== null &&
    document.querySelectorAll("#gallery[aria-busy=false], #preview[aria-busy=false]").length === 2
  );
  return await pixels(page, selector);
}

/** The page as a person with mouse and keyboard sees it. */
async function usePage() {
  const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
  const messages: string[] = [];
  page.on("console", (message) => {
    const own = message.text().includes("willReadFrequently"); // this script's reading of canvases
    if (message.type() !== "log" && !own) messages.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => messages.push(error.message));
  await page.goto(`${origin}/`); // it opens the model that it came with
  const seen: Record<string, unknown> = { seed0: await settled(page, firstImage) };
  seen.isolated = await page.evaluate(() => crossOriginIsolated);
  seen.status = await page.textContent("#status");
  seen.device = await page.textContent("#device");
  seen.images = await page.$$eval("#gallery canvas", (canvases) => canvases.length);
  await page.fill("#seed", "7");
  seen.seed7 = await settled(page, firstImage);
  await page.focus("#truncation");
  for (let step = 0; step < 10; step++) await page.keyboard.press("ArrowLeft"); // 1 -> 0.5
  seen.truncated = await settled(page, firstImage);
  for (let step = 0; step < 10; step++) await page.keyboard.press("ArrowRight"); // and back
  await page.selectOption("#label", "star");
  seen.star = await settled(page, firstImage);

  // By keyboard: the third image of the second row becomes end A, then the first one end B.
  await page.focus("#gallery button");
  for (const key of ["ArrowDown", "ArrowRight", "ArrowRight", "Enter", "Home", "Enter"]) {
    await page.keyboard.press(key);
  }
  seen.ends = [await page.inputValue("#seed-a"), await page.inputValue("#seed-b")];
  seen.mix = await page.inputValue("#mix");
  seen.atB = await settled(page, "#preview");
  await page.focus("#mix");
  await page.keyboard.press("Home");
  seen.atA = await settled(page, "#preview");
  await page.focus("#distance");
  await page.keyboard.press("End");
  seen.along = await settled(page, "#preview");

  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#save")]);
  const file = await Deno.readFile(await download.path());
  seen.download = [download.suggestedFilename(), ...file.subarray(1, 4)];

  await page.setViewportSize({ width: 360, height: 740 });
  seen.overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  await page.evaluate(() => scrollTo(0, 0));
  await page.click("#gallery button:nth-child(2)");
  await page.waitForFunction(() => {
    const { top, bottom } = document.querySelector("#preview")!.getBoundingClientRect();
    return top >= 0 && bottom <= innerHeight; // it lay below the samples
  });

  await page.setInputFiles("#file", badFile);
  await page.waitForSelector("#status.bad");
  seen.badFile = await page.textContent("#status");
  await page.fill("#url", "index.html");
  await page.click("#open button");
  await page.waitForFunction(() =>
    document.querySelector("#status")!.textContent!.includes("HTML")
  );
  seen.badAddress = await page.textContent("#status");
  seen.stillThere = await page.isVisible("#gallery canvas");
  await page.setInputFiles("#file", pointsFile);
  await page.waitForSelector("#plot:not([hidden])");
  seen.points = await page.getAttribute("#plot", "aria-label");
  await page.waitForSelector("#preview-values:not([hidden])");
  const marked = [];
  for (const key of ["Home", "End"]) {
    const before = await page.textContent("#preview-values");
    await page.focus("#mix");
    await page.keyboard.press(key);
    if (key === "End") {
      await page.waitForFunction(
        (before) => document.querySelector("#preview-values")!.textContent !== before,
        before,
      );
    }
    marked.push((await pixels(page, "#plot")).join());
  }
  seen.markMoves = marked[0] !== marked[1];
  seen.messages = messages;
  await page.close();
  return seen;
}

/** What `Sampler` itself gives in a page. */
async function useSampler() {
  const page = await browser.newPage();
  await page.goto(`${origin}/src/`); // a 404 of the same origin and policy, with no script in it
  const seen = await page.evaluate(async (origin) => {
    const { Sampler } = await import(`${origin}/src/sampler/mod.js`);
    const url = `${origin}/generator.onnx`;
    const first = await Sampler.load(url, { device: "wasm", cache: "models", selfTest: true });
    const again = await Sampler.load(url, { device: "wasm", cache: "models" });
    const auto = await Sampler.load(url);
    const images = await first.sample({ seeds: [0, 7, 4294967295], label: [0, 2, 1] });
    const bitmap = await images[0].toImageBitmap();
    const png = await images.grid().toPng();
    const decoded = await createImageBitmap(new Blob([png]));
    const seen = {
      cache: [first.info.cache, again.info.cache],
      device: first.device,
      auto: auto.device.name,
      fallback: auto.device.fallback,
      latents: [0, 7, 4294967295].map((seed) => Array.from(first.latent(seed))),
      values: Array.from(images, (image: { values: Float32Array }) => Array.from(image.values)),
      bitmap: [bitmap.width, bitmap.height],
      decoded: [decoded.width, decoded.height],
    };
    for (const sampler of [first, again, auto]) await sampler.dispose();
    return seen;
  }, origin);
  await page.close();
  return seen;
}

try {
  console.log(JSON.stringify({ page: await usePage(), sampler: await useSampler() }));
} finally {
  await browser.close();
}

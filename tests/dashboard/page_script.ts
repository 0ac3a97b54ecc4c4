/// <reference lib="dom" />
/**
 * Drives the dashboard in a browser and prints what a person would see, as JSON. A process of its own, for
 * the browser needs every permission.
 *
 *     page_script.ts Chromium|Firefox PATH ADDRESS RUN OTHER-RUN [PICTURES]
 */
import puppeteer from "puppeteer-core";

const [name, executablePath, address, run, other, pictures] = Deno.args;
const isChromium = name === "Chromium";
const browser = await puppeteer.launch({
  browser: isChromium ? "chrome" : "firefox",
  executablePath,
  headless: true,
  // Not by setViewport(), which asks older versions of Firefox for what they do not know.
  defaultViewport: { width: 390, height: 800 },
  args: isChromium ? ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] : [],
});
const messages: string[] = [];
const page = await browser.newPage();
page.on("console", (message) => messages.push(message.text()));
page.on("pageerror", (error) => messages.push(`${error}`));
const foreign: string[] = [];
page.on("request", (request) => {
  const url = request.url();
  if (!/^(blob|data|about):/.test(url) && !url.startsWith(address)) foreign.push(url);
});

const texts = (selector: string) =>
  page.$$eval(selector, (all) => all.map((element) => element.textContent ?? ""));
const overflow = () =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
const shoot = async (what: string) =>
  void (pictures &&
    await page.screenshot({ path: `${pictures}/${name}-${what}.png` as `${string}.png` }));

/** Sets the control with a label, as a person does: by the events that typing and clicking give. */
const set = (label: string, value: string | boolean) =>
  page.evaluate(
    (label, value) => {
      const labels = [...document.querySelectorAll("label")];
      const field = labels.find((each) => each.textContent?.trim().startsWith(label));
      const control = (field?.querySelector("input, select") ??
        document.querySelector(`[aria-label="${label}"]`)) as HTMLInputElement | null;
      if (!control) throw new Error(`nothing is labeled ${label}`);
      if (typeof value === "boolean") return control.click();
      control.value = value;
      control.dispatchEvent(new Event("input", { bubbles: true }));
      control.dispatchEvent(new Event("change", { bubbles: true }));
    },
    label,
    value,
  );

const press = (text: string) =>
  page.evaluate((text) => {
    const buttons = [...document.querySelectorAll("button")];
    const button = buttons.find((each) => each.textContent?.trim() === text);
    if (!button) throw new Error(`there is no button ${text}`);
    button.click();
  }, text);

/** Waits until the page says yes. By polling: the page's policy keeps Firefox 140 from puppeteer's own way. */
async function until(
  condition: (argument: string) => unknown,
  argument = "",
): Promise<void> {
  const deadline = performance.now() + 120_000; // only for what hangs
  while (!await page.evaluate(condition, argument)) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
const isThere = (selector: string) => document.querySelector(selector) !== null;

const lastDrawn = () =>
  page.evaluate(() =>
    ([...document.querySelectorAll(".drawn canvas")].at(-1) as HTMLCanvasElement).toDataURL()
  );

await page.goto(address);
await until(isThere, "tbody tr");
const names = await texts("tbody tr td:nth-child(2)");
await set("Search", other);
const searched = await texts("tbody tr td:nth-child(2)");
await set("Search", "");
await press("Run");
const sorted = await texts("tbody tr td:nth-child(2)");
const listOverflow = await overflow();
await shoot("list");

await set(`Compare ${run}`, true);
await set(`Compare ${other}`, true);
await press("Compare");
await until(() =>
  [...document.querySelectorAll("tbody th")].some((each) => each.textContent === "duration.steps")
);
const differences = await texts(".scroll tbody tr:has(th)");
await until(isThere, ".uplot");
const compared = (await page.$$(".uplot")).length;
await shoot("compared");

await page.goto(`${address}#/run/${run}`);
await until(isThere, ".plot h3");
const plots = await texts(".plot h3");
await press("Draw from the exported file");
await until(() => document.querySelectorAll(".drawn canvas").length === 17);
const before = await lastDrawn();
await set("between", "100");
await until(
  (old) =>
    ([...document.querySelectorAll(".drawn canvas")].at(-1) as HTMLCanvasElement).toDataURL() !==
      old,
  before,
);
await press("Nearest training images of the first");
await until(() => (document.querySelector(".drawn img") as HTMLImageElement | null)?.naturalWidth);
const nearest = await page.$eval(".drawn img", (image) => ({
  width: (image as HTMLImageElement).naturalWidth,
  height: (image as HTMLImageElement).naturalHeight,
}));
const width = await page.evaluate(() => innerWidth);
const facts = await texts("dd");
const runOverflow = await overflow();
await shoot("run");
if (pictures) {
  await page.setViewport({ width: 1280, height: 900 });
  await page.evaluate(() => scrollTo(0, 0));
  await shoot("run-wide");
}
console.log(JSON.stringify({
  names,
  searched,
  sorted,
  differences,
  compared,
  plots,
  facts,
  nearest,
  width,
  overflow: [listOverflow, runOverflow],
  foreign,
  messages,
}));
await browser.close();

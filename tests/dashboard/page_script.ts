/// <reference lib="dom" />
/**
 * Drives the dashboard in a browser and prints what a person would see, as JSON. A process of its own, for
 * the browser needs every permission.
 *
 *     page_script.ts BROWSER ADDRESS RUN OTHER-RUN
 */
import { chromium } from "playwright-core";

const [executablePath, address, run, other] = Deno.args;
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const messages: string[] = [];
const page = await browser.newPage({ viewport: { width: 390, height: 800 } });
page.on("console", (message) => messages.push(message.text()));
page.on("pageerror", (error) => messages.push(error.message));
const foreign: string[] = [];
page.on("request", (request) => {
  const url = request.url();
  if (!url.startsWith(address) && !url.startsWith("blob:")) foreign.push(url);
});
const texts = (selector: string) => page.locator(selector).allTextContents();
const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

await page.goto(address);
await page.locator("tbody tr").first().waitFor();
const names = await texts("tbody tr td:nth-child(2)");
await page.getByLabel("Search").fill(other);
const searched = await texts("tbody tr td:nth-child(2)");
await page.getByLabel("Search").fill("");
await page.getByRole("button", { name: "Run", exact: true }).click();
const sorted = await texts("tbody tr td:nth-child(2)");
const listOverflow = await overflow();

await page.getByLabel(`Compare ${run}`).check();
await page.getByLabel(`Compare ${other}`).check();
await page.getByRole("button", { name: "Compare" }).click();
await page.locator("tbody th", { hasText: "duration.steps" }).waitFor();
const differences = await texts(".scroll tbody tr:has(th)");
await page.locator(".uplot").first().waitFor();
const compared = await page.locator(".uplot").count();

await page.goto(`${address}#/run/${run}`);
await page.locator(".uplot").first().waitFor();
const plots = await texts(".plot h3");
await page.getByRole("button", { name: "Draw from the exported file" }).click();
await page.locator(".drawn canvas").nth(16).waitFor({ timeout: 120_000 });
const before = await page.locator(".drawn canvas").last().evaluate((canvas) =>
  (canvas as HTMLCanvasElement).toDataURL()
);
await page.getByLabel("between").fill("100");
await page.waitForFunction(
  (old) => {
    const all = document.querySelectorAll(".drawn canvas");
    return (all[all.length - 1] as HTMLCanvasElement).toDataURL() !== old;
  },
  before,
);
const facts = await texts("dd");
const runOverflow = await overflow();
console.log(JSON.stringify({
  names,
  searched,
  sorted,
  differences,
  compared,
  plots,
  facts,
  overflow: [listOverflow, runOverflow],
  foreign,
  messages,
}));
await browser.close();

/// <reference lib="dom" />
/**
 * Opens pages in a headless Chromium or Firefox, one after the other, and prints as JSON what each said.
 * A process of its own: the driver asks for more permissions than the tests have.
 *
 * Arguments: the browser, its path, and the visits as JSON (see visit.ts).
 */
import puppeteer from "puppeteer-core";
import { READ_INTERVAL_MS, type Visit, type VisitResult } from "./visits.ts";

const [name, executablePath, visits] = Deno.args;
const isChromium = name === "Chromium";
const browser = await puppeteer.launch({
  browser: isChromium ? "chrome" : "firefox",
  executablePath,
  headless: true,
  enableExtensions: isChromium,
  args: isChromium ? ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] : [],
});
try {
  const results: VisitResult[] = [];
  for (const each of JSON.parse(visits) as Visit[]) results.push(await visit(each));
  console.log(JSON.stringify(results));
} finally {
  await browser.close();
}

async function visit({ url, extension, read, timeoutMs }: Visit): Promise<VisitResult> {
  const page = await browser.newPage();
  const messages: string[] = [];
  page.on("console", (message) => {
    const isAboutIcon = message.location()?.url?.endsWith("/favicon.ico"); // no example has one
    if (message.type() !== "log" && !isAboutIcon) {
      messages.push(`${message.type()}: ${message.text()}`);
    }
  });
  page.on("pageerror", (error) => messages.push(`${error}`));
  try {
    await page.goto(extension === undefined ? url : `${await install(extension)}${url}`);
    const started = performance.now();
    while (performance.now() - started < timeoutMs) {
      const seen = await page.evaluate(read);
      if (seen !== null && seen !== undefined) return { seen, messages };
      await new Promise((resolve) => setTimeout(resolve, READ_INTERVAL_MS));
    }
    return { seen: null, messages };
  } finally {
    await page.close();
  }
}

/** Loads an extension and waits until its service worker runs. @returns the address of its files */
async function install(extension: string): Promise<string> {
  const origin = `chrome-extension://${await browser.installExtension(extension)}/`;
  const target = await browser.waitForTarget((each) =>
    each.type() === "service_worker" && each.url().startsWith(origin)
  );
  await (await target.worker())!.evaluate("globalThis.location.href");
  return origin;
}

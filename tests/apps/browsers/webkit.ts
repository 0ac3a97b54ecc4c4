/**
 * Drives WebKitGTK's small browser by WebDriver, on a display that only the test sees: the browser has
 * no headless mode.
 */
import { READ_INTERVAL_MS, type Visit, type VisitResult } from "./visits.ts";

/** Where Debian puts the browser. */
export const MINI_BROWSER = "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser";

/** Opens pages, one after the other. */
export async function visitInWebKit(visits: readonly Visit[]): Promise<VisitResult[]> {
  await using display = await startDisplay();
  const port = freePort();
  const driver = new Deno.Command("WebKitWebDriver", {
    args: [`--port=${port}`],
    env: {
      DISPLAY: display.name,
      GDK_BACKEND: "x11",
      JSC_useSharedArrayBuffer: "1", // WebKitGTK, unlike Safari, gives none to isolated pages
      LIBGL_ALWAYS_SOFTWARE: "1",
      WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1", // it needs user namespaces, which containers lack
    },
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    const call = (path: string, body?: object, method = "POST") =>
      callDriver(`http://127.0.0.1:${port}/session${path}`, body, method);
    const { sessionId } = await untilItListens(() =>
      call("", {
        capabilities: {
          alwaysMatch: {
            "webkitgtk:browserOptions": { binary: MINI_BROWSER, args: ["--automation"] },
          },
        },
      })
    ) as { sessionId: string };
    try {
      const results: VisitResult[] = [];
      for (const { url, read, timeoutMs } of visits) {
        await call(`/${sessionId}/url`, { url });
        const started = performance.now();
        let seen: unknown = null;
        while (seen === null && performance.now() - started < timeoutMs) {
          await new Promise((resolve) => setTimeout(resolve, READ_INTERVAL_MS));
          const script = { script: `return ${read} ?? null`, args: [] };
          seen = await call(`/${sessionId}/execute/sync`, script);
        }
        results.push({ seen, messages: [] });
      }
      return results;
    } finally {
      await call(`/${sessionId}`, undefined, "DELETE");
    }
  } finally {
    driver.kill();
    await driver.status;
  }
}

async function callDriver(url: string, body: object | undefined, method: string): Promise<unknown> {
  const answer = await fetch(url, { method, body: JSON.stringify(body) });
  const { value } = await answer.json();
  if (!answer.ok) throw new Error(`WebKitWebDriver: ${value.error}: ${value.message}`);
  return value;
}

/** Tries until the driver listens, at most ten seconds long. */
async function untilItListens<T>(start: () => Promise<T>): Promise<T> {
  for (let tries = 1;; tries++) {
    try {
      return await start();
    } catch (error) {
      if (tries === 100 || !(error instanceof TypeError)) throw error; // fetch failed: not yet there
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** Starts an X server without a screen. */
async function startDisplay(): Promise<AsyncDisposable & { name: string }> {
  const server = new Deno.Command("Xvfb", {
    args: ["-displayfd", "1", "-screen", "0", "1280x1024x24", "-nolisten", "tcp"],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let said = "";
  for await (const text of server.stdout.pipeThrough(new TextDecoderStream())) {
    said += text;
    if (said.endsWith("\n")) break;
  }
  return {
    name: `:${said.trim()}`,
    async [Symbol.asyncDispose]() {
      server.kill();
      await server.status;
    },
  };
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  return listener.addr.port;
}

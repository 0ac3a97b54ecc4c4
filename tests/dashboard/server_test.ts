import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { RunIndex } from "../../src/dashboard/run_index.ts";
import { answer, type DashboardOptions, serveDashboard } from "../../src/dashboard/server.ts";
import { UserError } from "../../src/errors.ts";
import { watchStopRequests } from "../../src/run/stop_request.ts";
import { inFolder, makeRun } from "./helpers.ts";

const body = new TextEncoder().encode("<!doctype html>");

function options(root: string, change: Partial<DashboardOptions> = {}): DashboardOptions {
  return {
    index: new RunIndex(root),
    page: new Map([["index.html", { type: "text/html", body }]]),
    port: 0,
    exportRun: () => Promise.reject(new UserError("Cannot export it: no checkpoint")),
    ...change,
  };
}

function ask(path: string, init: RequestInit = {}): Request {
  const headers = { host: "127.0.0.1:8018", ...init.headers as Record<string, string> };
  return new Request(`http://127.0.0.1${path}`, { ...init, headers });
}
const own = { method: "POST", headers: { "x-ganforge": "1" } };

Deno.test("the dashboard answers for this machine only, and serves images of runs only", () =>
  inFolder(async (root) => {
    const runs = `${root}/runs`;
    const folder = await makeRun(runs, "00001-tiny", { steps: 3 });
    await Deno.writeTextFile(`${root}/secret.png`, "secret");
    await Deno.symlink(`${root}/secret.png`, `${folder}/link.png`);
    const status = async (path: string, init?: RequestInit) =>
      (await answer(ask(path, init), options(runs))).status;

    assertEquals(await status("/"), 200);
    assertEquals(await status("/", { headers: { host: "evil.example" } }), 403);
    assertEquals(await status("/", { headers: { host: "localhost:8018" } }), 200);
    assertEquals(await status("/", { method: "DELETE" }), 405);
    assertEquals(await status("/%"), 400);
    assertEquals(await status("/files/00001-tiny/samples/00000004.png"), 200);
    assertEquals(await status("/files/00001-tiny/config.json"), 404);
    assertEquals(await status("/files/00001-tiny/.lock"), 404);
    assertEquals(await status("/files/00001-tiny/link.png"), 404);
    assertEquals(await status("/files/00001-tiny/none.png"), 404);
    assertEquals(await status("/files/00001-tiny/..%2f..%2fsecret.png"), 404);
    assertEquals(await status("/files/..%2f/secret.png"), 404);
    assertEquals(await status("/api/runs/none"), 404);

    const page = await answer(ask("/"), options(runs));
    assertStringIncludes(page.headers.get("content-security-policy")!, "default-src 'none'");
    const head = await answer(ask("/", { method: "HEAD" }), options(runs));
    assertEquals([head.status, await head.text()], [200, ""]);
  }));

Deno.test("the dashboard lists runs, gives one, and its curves", () =>
  inFolder(async (root) => {
    await makeRun(root, "00001-tiny", { steps: 3 });
    const get = async (path: string) => await (await answer(ask(path), options(root))).json();
    const { folder, runs } = await get("/api/runs");
    assertEquals([folder, runs.length, runs[0].state], [root, 1, "finished"]);
    const run = await get("/api/runs/00001-tiny");
    assertEquals([run.samples, run.files, run.config.preset], [["00000004.png"], [], "tiny"]);
    const { columns } = await get("/api/runs/00001-tiny/curves?points=10");
    assertEquals(columns.step, [1, 2, 3]);
  }));

Deno.test("only the dashboard's own page stops a run, and only one that runs", () =>
  inFolder(async (root) => {
    const folder = await makeRun(root, "00001-tiny", { steps: 3, planned: 9 });
    const stop = async (init: RequestInit) =>
      await answer(ask("/api/runs/00001-tiny/stop", init), options(root));
    assertEquals((await stop({ method: "POST" })).status, 403);
    assertEquals((await stop(own)).status, 409); // it is not running

    using lock = await Deno.open(`${folder}/.lock`, { write: true });
    await lock.lock(true);
    let asked = 0;
    using requests = watchStopRequests(folder, () => asked++);
    assertEquals((await stop(own)).status, 200);
    await new Promise((resolve) => requests.signal.addEventListener("abort", resolve));
    assertEquals(asked, 1);

    const failed = await answer(ask("/api/runs/00001-tiny/export", own), options(root));
    assertEquals([failed.status, await failed.text()], [409, "Cannot export it: no checkpoint\n"]);
  }));

Deno.test("the dashboard streams what changes, and ends with its signal", () =>
  inFolder(async (root) => {
    await makeRun(root, "00001-tiny", { steps: 3 });
    const controller = new AbortController();
    const { signal } = controller;
    const server = serveDashboard(options(root, { intervalMs: 20, signal }));
    const address = `http://127.0.0.1:${server.addr.port}`;
    const taken = () => serveDashboard(options(root, { port: server.addr.port }));
    assertThrows(taken, UserError, `Cannot serve on port ${server.addr.port}: it is in use`);

    const response = await fetch(`${address}/api/stream`);
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    const next = async () => {
      for (;;) {
        const { value = "" } = await reader.read();
        const line = value.split("\n").find((each) => each.startsWith("data: "));
        if (line) return JSON.parse(line.slice(6));
      }
    };
    const first = await next();
    assertEquals([first.changed.length, first.gone], [1, []]);
    await makeRun(root, "00002-tiny", { steps: 1 });
    let { changed } = await next();
    while (changed[0].step === 0) ({ changed } = await next()); // seen while it was being written
    assertMatch(changed[0].name, /^00002/);
    await Deno.remove(`${root}/00001-tiny`, { recursive: true });
    let { gone } = await next();
    while (gone.length === 0) ({ gone } = await next());
    assertEquals(gone, ["00001-tiny"]);
    controller.abort();
    await server.finished;
    assert((await reader.read().catch(() => ({ done: true }))).done !== undefined);
    await reader.cancel().catch(() => {});
  }));

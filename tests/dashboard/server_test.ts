import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { RunIndex } from "../../src/dashboard/run_index.ts";
import { answer, type DashboardOptions, serveDashboard } from "../../src/dashboard/server.ts";
import { UserError } from "../../src/errors.ts";
import { openData } from "../../mod.ts";
import { decodeImage } from "../../src/data/images/decode.ts";
import { nearestTrainingImages } from "../../src/pipeline/nearest_images.ts";
import { TINY } from "../tiny_config.ts";
import { watchStopRequests } from "../../src/run/stop_request.ts";
import { inFolder, makeRun } from "./helpers.ts";

const body = new TextEncoder().encode("<!doctype html>");

function options(root: string, change: Partial<DashboardOptions> = {}): DashboardOptions {
  return {
    index: new RunIndex(root),
    page: new Map([["index.html", { type: "text/html", body }]]),
    port: 0,
    exportRun: () => Promise.reject(new UserError("Cannot export it: no checkpoint")),
    nearestImages: nearestTrainingImages,
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

Deno.test("the dashboard draws the training images that are nearest to a sample", () =>
  inFolder(async (root) => {
    const folder = await makeRun(root, "00001-tiny", { steps: 3 });
    await Deno.writeTextFile(`${folder}/config.json`, JSON.stringify(TINY));
    const data = await openData(TINY.data);
    const image = Uint8Array.from(data.pixels!.subarray(5 * 64, 6 * 64));
    const find = (query: string, init: RequestInit = own) =>
      answer(
        ask(`/api/runs/00001-tiny/nearest?${query}`, {
          ...init,
          headers: { ...init.headers as Record<string, string>, "content-length": "64" },
          body: image,
        }),
        options(root),
      );
    const response = await find("width=8&height=8&channels=1");
    assertEquals([response.status, response.headers.get("content-type")], [200, "image/png"]);
    const sheet = await decodeImage(await response.bytes(), "the sheet", {
      channels: 1,
      background: 0,
    });
    // Six images of 8 pixels and one between them, nine times as large; the first two are the same one.
    assertEquals(sheet.width, 9 * (6 * 9 + 1));
    const top = sheet.height - 9 * 10;
    const pixel = (x: number, y: number) => sheet.data[(top + 9 * (1 + y)) * sheet.width + 9 * x];
    for (let x = 0; x < 8; x++) assertEquals(pixel(1 + x, 4), pixel(10 + x, 4));
    assert(Array.from({ length: 8 }, (_, x) => pixel(1 + x, 4)).some((value) => value > 0));

    const refused = await find("width=4&height=16&channels=1");
    assertEquals(refused.status, 409);
    assertStringIncludes(await refused.text(), "Cannot compare an image of 4 x 16 pixels");
    assertEquals((await find("width=8&height=9&channels=1")).status, 409);
    assertEquals((await find("width=8&height=8&channels=1", { method: "POST" })).status, 403);
  }));

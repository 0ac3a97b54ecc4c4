/** The dashboard in Chromium and Firefox, at the width of a phone: list, comparison, a run, and its generator. */
import { assert, assertEquals } from "@std/assert";
import { dashboardPage } from "../../src/dashboard/page_files.ts";
import { labeledGrid } from "../../src/report/labeled_grid.ts";
import { RunIndex } from "../../src/dashboard/run_index.ts";
import { serveDashboard } from "../../src/dashboard/server.ts";
import { BROWSERS, testName } from "../apps/browsers/browsers.ts";
import { inFolder, makeRun } from "./helpers.ts";

for (const { name, path, missing } of BROWSERS) {
  if (name === "WebKit") continue; // its driver tells nothing of the console
  Deno.test({
    name: testName(`the dashboard's page works in ${name}`, missing),
    ignore: missing !== null,
    fn: () =>
      inFolder(async (root) => {
        const folder = await makeRun(root, "00001-first", { steps: 40 });
        await makeRun(root, "00002-second", { steps: 20, planned: 60 });
        const model = new URL("../../fixtures/sampler/conditional.onnx", import.meta.url);
        await Deno.copyFile(model, `${folder}/generator.onnx`);
        const controller = new AbortController();
        const server = serveDashboard({
          index: new RunIndex(root),
          page: await dashboardPage(),
          port: 0,
          exportRun: () => Promise.reject(new Error("not asked for")),
          nearestImages: (_, image) => labeledGrid([image, image], { columns: 2 }),
          signal: controller.signal,
        });
        const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
          args: [
            "run",
            "--allow-all",
            new URL("page_script.ts", import.meta.url).pathname,
            name,
            path!,
            `http://127.0.0.1:${server.addr.port}/`,
            "00001-first",
            "00002-second",
          ],
          signal: AbortSignal.timeout(300_000),
        }).output();
        controller.abort();
        await server.finished;
        assert(success, new TextDecoder().decode(stderr));
        const seen = JSON.parse(new TextDecoder().decode(stdout));
        assertEquals(seen.names, ["00002-second", "00001-first"]);
        assertEquals(seen.searched, ["00002-second"]);
        assertEquals(seen.sorted, ["00001-first", "00002-second"]);
        assertEquals(seen.differences, ["steps4020", "best", "duration.steps4060"]);
        assertEquals(seen.compared, 1);
        assertEquals(seen.plots, ["Losses"]);
        assertEquals(seen.facts.slice(0, 3), ["finished", "40 of 40", "tiny"]);
        assertEquals(seen.nearest, { width: 31 * 19, height: 31 * 10 });
        assertEquals(seen.width, 390);
        assertEquals(seen.overflow, [0, 0]);
        assertEquals(seen.foreign, []);
        assertEquals(seen.messages, []);
      }),
  });
}

/** Opens the dashboard, beside a run or on its own. */
import { dashboardPage } from "../../src/dashboard/page_files.ts";
import { RunIndex } from "../../src/dashboard/run_index.ts";
import { serveDashboard } from "../../src/dashboard/server.ts";
import { exportFolder } from "../../src/pipeline/export_run.ts";
import { nearestTrainingImages } from "../../src/pipeline/nearest_images.ts";

/** A dashboard that is open. */
export interface OpenDashboard extends AsyncDisposable {
  /** Where it is: `http://127.0.0.1:8018/`. */
  address: string;
  /** Resolves when it has ended. */
  finished: Promise<void>;
}

/**
 * Serves the page over a folder of runs.
 * @param port 0, the default, for any free one
 * @throws {UserError} when the port is taken
 */
export async function openDashboard(runsFolder: string, port = 0): Promise<OpenDashboard> {
  const controller = new AbortController();
  const server = serveDashboard({
    signal: controller.signal,
    index: new RunIndex(runsFolder),
    page: await dashboardPage(),
    port,
    exportRun: async (run) => void await exportFolder(run),
    nearestImages: nearestTrainingImages,
  });
  return {
    address: `http://127.0.0.1:${server.addr.port}/`,
    finished: server.finished,
    async [Symbol.asyncDispose]() {
      controller.abort();
      await server.finished;
    },
  };
}

/** `deno task dashboard`: a local page over the run folders, live. */
import { UserError } from "../src/errors.ts";
import { runTask } from "../cli/command.ts";
import { openDashboard } from "./cli/open_dashboard.ts";

const DEFAULT_PORT = 8018;

await runTask({
  name: "dashboard",
  summary: "Serves a page that shows runs live, compares them and draws from their generators.",
  positionals: "[RUNS-FOLDER]",
  maxPositionals: 1,
  options: {
    runs: { path: true, value: "FOLDER", help: "the folder of all runs (default runs)" },
    open: { help: "open the page in this machine's browser" },
    port: { value: "N", help: `port on 127.0.0.1, 0 for any free one (default ${DEFAULT_PORT})` },
  },
  examples: [
    "deno task dashboard",
    "deno task dashboard runs/reproduce-ring/best-seed0 --port 0",
    "the page makes no request to any other machine; Ctrl-C ends the server, not the runs",
  ],
}, async (command) => {
  const [positional] = command.positionals;
  const named = command.text("runs");
  if (positional !== undefined && named !== undefined) {
    throw new UserError(
      `Cannot show ${positional} and --runs ${named}: both name the folder of runs; give one of them`,
    );
  }
  const folder = (positional ?? named ?? "runs").replace(/(?<=.)\/+$/, "");
  if (!(await isFolder(folder))) {
    throw new UserError(
      `Cannot show the runs of ${folder}: there is no such folder; train first, or name the folder with --runs`,
    );
  }
  const port = command.integer("port", { min: 0, max: 65535 }) ?? DEFAULT_PORT;
  const dashboard = await openDashboard(folder, port);
  console.log(`Open ${dashboard.address} (Ctrl-C ends)`);
  if (command.flag("open")) await openInBrowser(dashboard.address);
  await dashboard.finished;
});

/** What opens an address, on each system. */
const OPENERS: Partial<Record<typeof Deno.build.os, string>> = {
  darwin: "open",
  windows: "explorer",
};

async function openInBrowser(address: string): Promise<void> {
  const program = OPENERS[Deno.build.os] ?? "xdg-open";
  try {
    await new Deno.Command(program, { args: [address], stdout: "null", stderr: "null" }).output();
  } catch {
    console.error(
      `warning   there is no ${program} here to open a browser; open the address by hand`,
    );
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch {
    return false;
  }
}

/// <reference lib="dom" />
/** The page of the dashboard: which view the address asks for. `#/`, `#/run/NAME`, `#/compare/A,B`. */
import { LiveRuns } from "./api.ts";
import { compareView } from "./compare_view.ts";
import { say } from "./dom.ts";
import { runView } from "./run_view.ts";
import { runsView, type View } from "./runs_view.ts";

const main = document.getElementById("main")!;
const live = new LiveRuns(() => say("The dashboard's server has ended, or is not reached", true));
let view: View | undefined;

live.listen(() => {
  const runs = live.list();
  const running = runs.filter(({ state }) => state === "running").length;
  say(`${runs.length} ${runs.length === 1 ? "run" : "runs"}, ${running} running`);
});

function show(): void {
  view?.dispose();
  const [kind, rest = ""] = location.hash.replace(/^#\//, "").split("/");
  const names = rest.split(",").filter(Boolean).map(decodeURIComponent);
  if (kind === "run" && names.length === 1) view = runView(live, names[0]);
  else if (kind === "compare" && names.length > 1) view = compareView(live, names);
  else view = runsView(live);
  main.replaceChildren(view.element);
  document.title = names.length ? `${names.join(", ")} · ganforge` : "ganforge dashboard";
  scrollTo(0, 0);
}

globalThis.addEventListener("hashchange", () => {
  show();
  main.focus();
});
show();

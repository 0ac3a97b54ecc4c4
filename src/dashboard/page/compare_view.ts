/// <reference lib="dom" />
/** Several runs laid over each other, and where their configs differ. */
import { fetchRun, type LiveRuns } from "./api.ts";
import { curvesPanel } from "./curves_panel.ts";
import { make, sayError } from "./dom.ts";
import { figure } from "./format.ts";
import type { View } from "./runs_view.ts";

/** A value of a config by its path: `{a: {b: 1}}` has `a.b`. */
function flat(
  value: unknown,
  path = "",
  into: Map<string, string> = new Map(),
): Map<string, string> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    for (const [key, part] of Object.entries(value)) {
      flat(part, path ? `${path}.${key}` : key, into);
    }
  } else into.set(path, JSON.stringify(value));
  return into;
}

/** The comparison. */
export function compareView(live: LiveRuns, names: readonly string[]): View {
  const table = make("div", { class: "scroll" });
  const curves = curvesPanel(live, names);
  const element = make(
    "div",
    {},
    make(
      "section",
      { ariaLabel: "Differences" },
      make("h1", {}, `${names.length} runs`),
      make("h2", {}, "Where their configs differ"),
      table,
    ),
    curves.element,
  );
  Promise.all(names.map(fetchRun)).then((runs) => {
    const configs = runs.map(({ config }) => flat(config));
    const paths = [...new Set(configs.flatMap((config) => [...config.keys()]))].sort();
    const different = paths.filter((path) =>
      new Set(configs.map((each) => each.get(path))).size > 1
    );
    const best = runs.map(({ summary }) =>
      summary.best ? `${summary.best.measure} ${figure(summary.best.value)}` : ""
    );
    const row = (title: string, cells: string[]) =>
      make(
        "tr",
        {},
        make("th", { scope: "row" }, title),
        ...cells.map((cell) => make("td", {}, cell)),
      );
    table.replaceChildren(make(
      "table",
      {},
      make(
        "thead",
        {},
        make(
          "tr",
          {},
          make("th", {}, ""),
          ...runs.map(({ summary }) =>
            make("th", { scope: "col" }, make("a", { href: `#/run/${summary.name}` }, summary.name))
          ),
        ),
      ),
      make(
        "tbody",
        {},
        row("steps", runs.map(({ summary }) => summary.step.toLocaleString("en"))),
        row("best", best),
        ...different.map((path) => row(path, configs.map((config) => shortened(config.get(path))))),
      ),
    ));
  }).catch(sayError);
  return { element, dispose: curves.dispose };
}

function shortened(text: string | undefined): string {
  if (text === undefined) return "none";
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

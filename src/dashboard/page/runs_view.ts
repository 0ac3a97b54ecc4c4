/// <reference lib="dom" />
/** The list of runs: sorted by a column, searched, filtered by state, chosen for comparison. */
import type { LiveRuns, RunSummary } from "./api.ts";
import { labeled, make } from "./dom.ts";
import { duration, figure, moment } from "./format.ts";

/** A view of the page, and how it is taken away. */
export interface View {
  element: HTMLElement;
  dispose(): void;
}

/** A column of the list. */
interface Column {
  title: string;
  /** Not on narrow screens. */
  optional?: boolean;
  isNumber?: boolean;
  /** What it is sorted by. */
  key: (run: RunSummary) => string | number;
  cell: (run: RunSummary) => string | Node;
}

const COLUMNS: Column[] = [
  {
    title: "Run",
    key: ({ name }) => name,
    cell: ({ name }) => make("a", { href: `#/run/${encodeURIComponent(name)}` }, name),
  },
  {
    title: "State",
    key: ({ state }) => state,
    cell: ({ state, fault }) =>
      make("span", { class: `state ${state}`, title: fault ?? "" }, state),
  },
  {
    title: "Steps",
    isNumber: true,
    key: ({ step }) => step,
    cell: ({ step, totalSteps }) =>
      make(
        "span",
        {},
        totalSteps === null ? null : make("progress", {
          max: totalSteps,
          value: Math.min(step, totalSteps),
          ariaLabel: `${step} of ${totalSteps} steps`,
        }),
        ` ${step.toLocaleString("en")}`,
      ),
  },
  {
    title: "Images a second",
    optional: true,
    isNumber: true,
    key: ({ imagesPerSecond }) => imagesPerSecond ?? 0,
    cell: ({ imagesPerSecond }) => figure(imagesPerSecond),
  },
  {
    title: "D loss",
    optional: true,
    isNumber: true,
    key: ({ scalars }) => scalars.dLoss ?? Infinity,
    cell: ({ scalars }) => figure(scalars.dLoss),
  },
  {
    title: "G loss",
    optional: true,
    isNumber: true,
    key: ({ scalars }) => scalars.gLoss ?? Infinity,
    cell: ({ scalars }) => figure(scalars.gLoss),
  },
  {
    title: "Best",
    isNumber: true,
    key: ({ best }) => best?.value ?? Infinity,
    cell: ({ best }) => best ? `${best.measure} ${figure(best.value)}` : "",
  },
  { title: "Preset", optional: true, key: ({ preset }) => preset, cell: ({ preset }) => preset },
  { title: "Data", optional: true, key: ({ data }) => data, cell: ({ data }) => data },
  { title: "Device", optional: true, key: ({ device }) => device, cell: ({ device }) => device },
  {
    title: "Trained",
    optional: true,
    isNumber: true,
    key: ({ seconds }) => seconds,
    cell: ({ seconds }) => duration(seconds),
  },
  {
    title: "Changed",
    optional: true,
    key: ({ updated }) => updated,
    cell: ({ updated }) => moment(updated),
  },
];

const STATES = ["running", "finished", "stopped", "diverged", "unreadable"];

/** The order of the list, kept while the page is open. */
let order = { column: 0, descending: true };

/** The list. */
export function runsView(live: LiveRuns): View {
  const chosen = new Set<string>();
  const search = make("input", {
    type: "search",
    placeholder: "name, preset or data",
    on: { input: draw },
  });
  const state = make(
    "select",
    { on: { change: draw } },
    make("option", { value: "" }, "all"),
    ...STATES.map((name) => make("option", { value: name }, name)),
  );
  const compare = make(
    "button",
    { type: "button", disabled: true, on: { click: openComparison } },
    "Compare",
  );
  const body = make("tbody");
  const heads = COLUMNS.map((column, index) =>
    make(
      "th",
      { class: classOf(column), scope: "col" },
      make("button", { type: "button", on: { click: () => sortBy(index) } }, column.title),
    )
  );
  const table = make(
    "table",
    {},
    make("thead", {}, make("tr", {}, make("th", { scope: "col" }, ""), ...heads)),
    body,
  );
  const nothing = make("p", { class: "soft" });
  const element = make(
    "section",
    { ariaLabel: "Runs" },
    make(
      "div",
      { class: "controls" },
      make("h1", {}, "Runs"),
      labeled("Search", search),
      labeled("State", state),
      compare,
    ),
    make("div", { class: "scroll" }, table),
    nothing,
  );

  function sortBy(column: number): void {
    order = { column, descending: order.column === column ? !order.descending : false };
    draw();
  }

  function openComparison(): void {
    location.hash = `#/compare/${[...chosen].map(encodeURIComponent).join(",")}`;
  }

  function matches({ name, preset, data, state: its }: RunSummary): boolean {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const text = `${name} ${preset} ${data}`.toLowerCase();
    return words.every((word) => text.includes(word)) &&
      (state.value === "" || its === state.value);
  }

  function draw(): void {
    const { key } = COLUMNS[order.column];
    const sign = order.descending ? -1 : 1;
    const all = live.list();
    const shown = all.filter(matches).sort((a, b) => {
      const [x, y] = [key(a), key(b)];
      return sign *
        (typeof x === "string"
          ? x.localeCompare(String(y), "en", { numeric: true })
          : x - Number(y));
    });
    heads.forEach((head, index) => {
      head.ariaSort = index !== order.column
        ? "none"
        : order.descending
        ? "descending"
        : "ascending";
    });
    body.replaceChildren(...shown.map(row));
    nothing.textContent = shown.length
      ? ""
      : all.length
      ? "No run fits."
      : "There are no runs yet.";
    compare.disabled = chosen.size < 2;
  }

  function row(run: RunSummary): HTMLElement {
    const box = make("input", {
      type: "checkbox",
      checked: chosen.has(run.name),
      ariaLabel: `Compare ${run.name}`,
      on: {
        change() {
          if (box.checked) chosen.add(run.name);
          else chosen.delete(run.name);
          compare.disabled = chosen.size < 2;
        },
      },
    });
    return make(
      "tr",
      {},
      make("td", {}, box),
      ...COLUMNS.map((column) => make("td", { class: classOf(column) }, column.cell(run))),
    );
  }

  const stop = live.listen(() => {
    // Not under the hand of who is choosing.
    if (!body.contains(document.activeElement)) draw();
  });
  draw();
  return { element, dispose: stop };
}

function classOf({ isNumber, optional }: Column): string {
  return [isNumber ? "number" : "", optional ? "optional" : ""].join(" ").trim();
}

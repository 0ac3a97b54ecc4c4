/// <reference lib="dom" />
/** The curves of some runs, with the controls that say how they are drawn. */
import { type Curves, fetchCurves, type LiveRuns } from "./api.ts";
import { AXES, type ChartOptions, Charts } from "./charts.ts";
import { labeled, make, sayError } from "./dom.ts";
import type { View } from "./runs_view.ts";

/** How often curves of a running run are asked for again at most. */
const REFRESH_MS = 3000;

/** Curves, kept up to date. */
export function curvesPanel(live: LiveRuns, names: readonly string[]): View {
  const charts = new Charts();
  const found = new Map<string, Curves>();
  const options: ChartOptions = { axis: "step", smoothing: 0.6, logarithmic: false };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const lines = make("p", { class: "soft" });

  const smoothingValue = make("output", {}, "0.60");
  const smoothing = make("input", {
    type: "range",
    min: "0",
    max: "0.99",
    step: "0.01",
    value: String(options.smoothing),
    on: {
      input() {
        options.smoothing = smoothing.valueAsNumber;
        smoothingValue.textContent = options.smoothing.toFixed(2);
        draw();
      },
    },
  });
  const axis = make(
    "select",
    {
      on: {
        change() {
          options.axis = axis.value as ChartOptions["axis"];
          draw();
        },
      },
    },
    ...AXES.map((name) =>
      make(
        "option",
        { value: name },
        name === "wallS" ? "seconds" : name === "step" ? "steps" : name,
      )
    ),
  );
  const logarithmic = make("input", {
    type: "checkbox",
    on: {
      change() {
        options.logarithmic = logarithmic.checked;
        draw();
      },
    },
  });
  const element = make(
    "section",
    { ariaLabel: "Curves" },
    make(
      "div",
      { class: "controls" },
      make("h2", {}, "Curves"),
      labeled("Smoothing", smoothing, smoothingValue),
      labeled("Along", axis),
      labeled("Logarithmic", logarithmic),
    ),
    lines,
    charts.element,
  );

  function draw(): void {
    const runs = names.filter((name) => found.has(name))
      .map((name) => ({ name, curves: found.get(name)! }));
    charts.draw(runs, options);
    const total = runs.reduce((sum, { curves }) => sum + curves.lines, 0);
    lines.textContent = total === 0
      ? "No metrics yet."
      : "Drag across a plot to zoom into all of them, double-click to see all again.";
  }

  async function refresh(which: readonly string[]): Promise<void> {
    try {
      await Promise.all(which.map(async (name) => found.set(name, await fetchCurves(name))));
      draw();
    } catch (error) {
      sayError(error);
    }
  }

  const stop = live.listen((changed) => {
    const which = names.filter((name) => changed.has(name) && found.has(name));
    if (which.length === 0 || timer !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      void refresh(which);
    }, REFRESH_MS);
  });
  void refresh(names);
  return {
    element,
    dispose() {
      stop();
      clearTimeout(timer);
      charts.dispose();
    },
  };
}

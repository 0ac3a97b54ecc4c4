/// <reference lib="dom" />
/** One run: what it is, its curves, its samples over time, evaluations, events, config, and its generator. */
import { act, fetchRun, fileUrl, type LiveRuns, type RunDetails, type RunSummary } from "./api.ts";
import { curvesPanel } from "./curves_panel.ts";
import { labeled, make, say, sayError } from "./dom.ts";
import { duration, figure, moment } from "./format.ts";
import type { View } from "./runs_view.ts";
import { samplerPanel } from "./sampler_panel.ts";

/** The page of a run. */
export function runView(live: LiveRuns, name: string): View {
  const facts = make("dl");
  const stopButton = make("button", { type: "button", on: { click: () => void stop() } }, "Stop");
  const resume = make("p", { class: "soft", hidden: true });
  const pictures = make("section", { ariaLabel: "Samples" });
  const evaluations = make("section", { ariaLabel: "Evaluations" });
  const events = make("section", { ariaLabel: "Events" });
  const config = make("section", { ariaLabel: "Config" });
  const curves = curvesPanel(live, [name]);
  const generator = make("div");
  const element = make(
    "div",
    {},
    make(
      "section",
      { ariaLabel: "Run" },
      make("div", { class: "controls" }, make("h1", {}, name), stopButton),
      facts,
      resume,
    ),
    curves.element,
    pictures,
    generator,
    evaluations,
    events,
    config,
  );
  let panel: View | undefined;
  let isFollowing = true;
  let wanted = 0;

  async function stop(): Promise<void> {
    stopButton.disabled = true;
    try {
      await act(name, "stop");
      say(`${name} saves a checkpoint and stops`);
    } catch (error) {
      sayError(error);
    }
  }

  function showSummary(run: RunSummary): void {
    const total = run.totalSteps === null ? "" : ` of ${run.totalSteps.toLocaleString("en")}`;
    const left = run.state === "running" && run.imagesPerSecond && run.totalSteps && run.step
      ? `, about ${
        duration((run.totalSteps - run.step) * (run.images / run.step) / run.imagesPerSecond)
      } left`
      : "";
    const rows: [string, string][] = [
      ["State", run.state + (run.fault ? `: ${run.fault}` : "")],
      ["Steps", `${run.step.toLocaleString("en")}${total}${left}`],
      ["Preset", run.preset],
      ["Data", run.data],
      ["Device", run.device],
      [
        "Trained",
        `${duration(run.seconds)}, ${figure(run.imagesPerSecond)} images a second at last`,
      ],
      [
        "Best",
        run.best
          ? `${run.best.measure} ${figure(run.best.value)} at step ${run.best.step}`
          : "not measured",
      ],
      ["Changed", moment(run.updated)],
    ];
    facts.replaceChildren(
      ...rows.flatMap(([term, text]) => [make("dt", {}, term), make("dd", {}, text)]),
    );
    stopButton.hidden = run.state !== "running";
    if (run.state === "running") stopButton.disabled = false;
    resume.hidden = run.state !== "stopped";
    resume.replaceChildren(
      "Continue it with ",
      make("code", {}, `deno task train --resume ${name}`),
    );
  }

  function showPictures(found: RunDetails): void {
    const { samples, files, summary } = found;
    const image = make("img", { alt: "Samples" });
    const step = make("output");
    const slider = make("input", {
      type: "range",
      min: "0",
      max: String(Math.max(0, samples.length - 1)),
      ariaLabel: "Step of the samples",
    });
    const show = () => {
      const file = samples[slider.valueAsNumber];
      step.textContent = `step ${Number.parseInt(file).toLocaleString("en")}`;
      image.src = fileUrl(name, `samples/${file}`);
    };
    slider.addEventListener("input", () => {
      isFollowing = slider.valueAsNumber === samples.length - 1;
      wanted = slider.valueAsNumber;
      show();
    });
    const figures: HTMLElement[] = [];
    const add = (file: string, title: string) => {
      if (!files.includes(file)) return;
      figures.push(make(
        "figure",
        { class: "reals" },
        make("figcaption", { class: "soft" }, title),
        make("img", { alt: title, src: fileUrl(name, file, summary.updated), loading: "lazy" }),
      ));
    };
    add("reals.png", "Data");
    add("neighbors.png", "Samples beside the nearest training images");
    pictures.replaceChildren(
      make("h2", {}, "Samples"),
      samples.length
        ? make("div", { class: "samples" }, labeled("Step", slider, step), image)
        : make("p", { class: "soft" }, "None yet."),
      make("div", { class: "columns" }, ...figures),
    );
    if (samples.length) {
      slider.value = String(isFollowing ? samples.length - 1 : wanted);
      show();
    }
  }

  function showRest(
    { evaluations: measured, events: happened, config: given, data }: RunDetails,
  ): void {
    const names = [...new Set(measured.flatMap(({ measures }) => Object.keys(measures)))];
    evaluations.hidden = measured.length === 0;
    evaluations.replaceChildren(
      make("h2", {}, "Evaluations"),
      make(
        "div",
        { class: "scroll" },
        make(
          "table",
          {},
          make(
            "thead",
            {},
            make(
              "tr",
              {},
              ...["step", ...names].map((title) =>
                make("th", { class: "number", scope: "col" }, title)
              ),
            ),
          ),
          make(
            "tbody",
            {},
            ...measured.slice(-200).reverse().map(({ step, measures }) =>
              make(
                "tr",
                {},
                make("td", { class: "number" }, step.toLocaleString("en")),
                ...names.map((each) => make("td", { class: "number" }, figure(measures[each]))),
              )
            ),
          ),
        ),
      ),
    );
    events.hidden = happened.length === 0;
    events.replaceChildren(
      make("h2", {}, "Events"),
      make(
        "ul",
        {},
        ...happened.slice(-100).reverse().map((event) =>
          make(
            "li",
            {},
            `step ${event.step.toLocaleString("en")}, ${event.event}: ${
              event.message ?? event.fault ?? ""
            }`,
          )
        ),
      ),
    );
    config.replaceChildren(
      make("h2", {}, "Config, networks and data"),
      make("pre", { tabIndex: 0 }, JSON.stringify({ config: given, data }, null, 2)),
    );
  }

  async function refresh(): Promise<void> {
    try {
      const found = await fetchRun(name);
      showSummary(found.summary);
      showPictures(found);
      showRest(found);
      if (!panel) {
        panel = samplerPanel(found.summary);
        generator.replaceChildren(panel.element);
      }
    } catch (error) {
      sayError(error);
    }
  }

  let timer: ReturnType<typeof setTimeout> | undefined;
  const unlisten = live.listen((changed) => {
    const run = live.get(name);
    if (!changed.has(name) || !run) return;
    showSummary(run);
    timer ??= setTimeout(() => {
      timer = undefined;
      void refresh();
    }, 2000);
  });
  void refresh();
  return {
    element,
    dispose() {
      unlisten();
      clearTimeout(timer);
      curves.dispose();
      panel?.dispose();
    },
  };
}

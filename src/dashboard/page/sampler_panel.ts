/// <reference lib="dom" />
/** The generator in the page: samples of seeds, by class and truncation, and the way between two of them. */
import { type Sample, Sampler } from "@ganforge/ganforge/sampler";
import { act, fetchNearest, fileUrl, type RunSummary } from "./api.ts";
import { labeled, make, say, sayError } from "./dom.ts";
import type { View } from "./runs_view.ts";

/** Samples that are drawn at once. */
const IMAGES = 16;
const POINTS = 512;
/** Of the slider between two seeds. */
const STEPS = 100;
/** The side of a plot of points, in pixels. */
const PLOT = 240;

/** The panel of a run. */
export function samplerPanel(run: RunSummary): View {
  let sampler: Sampler | undefined;
  let turn = Promise.resolve();
  let gone = false;

  const number = (value: number) =>
    make("input", {
      type: "number",
      min: "0",
      max: "4294967295",
      step: "1",
      value: String(value),
      on: { input: draw },
    });
  const [seed, from, to] = [number(0), number(0), number(1)];
  const truncationValue = make("output", {}, "1.00");
  const truncation = make("input", {
    type: "range",
    min: "0",
    max: "1.5",
    step: "0.05",
    value: "1",
    on: {
      input() {
        truncationValue.textContent = truncation.valueAsNumber.toFixed(2);
        draw();
      },
    },
  });
  const label = make("select", { on: { change: draw } });
  const between = make("input", {
    type: "range",
    min: "0",
    max: String(STEPS),
    value: "0",
    on: { input: drawBetween },
  });
  const samples = make("div", { class: "drawn" });
  const middle = make("div", { class: "drawn" });
  const nearest = make("div", { class: "drawn" });
  const finding = make(
    "button",
    { type: "button", on: { click: () => void findNearest() } },
    "Nearest training images of the first",
  );
  let first: Sample | undefined;
  const controls = make("div", { hidden: true });
  const open = make(
    "button",
    { type: "button", on: { click: () => void load() } },
    "Draw from the exported file",
  );
  const exporting = make(
    "button",
    { type: "button", on: { click: () => void exportLatest() } },
    "Export the latest checkpoint",
  );
  open.disabled = !run.hasModel;
  const labelField = labeled("Class", label);
  controls.append(
    make(
      "div",
      { class: "controls" },
      labeled("First seed", seed),
      labelField,
      labeled("Truncation", truncation, truncationValue),
    ),
    samples,
    make("div", { class: "controls" }, finding),
    nearest,
    make(
      "div",
      { class: "controls" },
      labeled("From seed", from),
      labeled("to seed", to),
      labeled("between", between),
    ),
    middle,
  );
  const element = make(
    "section",
    { ariaLabel: "Generator" },
    make("div", { class: "controls" }, make("h2", {}, "Generator"), open, exporting),
    controls,
  );

  async function exportLatest(): Promise<void> {
    exporting.disabled = true;
    say(`Exporting the latest checkpoint of ${run.name}`);
    try {
      await act(run.name, "export");
      open.disabled = false;
      say("Exported");
      await load();
    } catch (error) {
      sayError(error);
    }
    exporting.disabled = false;
  }

  async function findNearest(): Promise<void> {
    if (!first) return;
    const sample = first;
    finding.disabled = true;
    say("Looking through the training images");
    try {
      const url = URL.createObjectURL(await fetchNearest(run.name, sample.toRaster()));
      const alt = `the sample of seed ${sample.seed} beside the nearest training images`;
      const image = make("img", { src: url, alt, on: { load: () => URL.revokeObjectURL(url) } });
      if (sample === first) nearest.replaceChildren(image);
      say("Distances of small copies stand above the training images");
    } catch (error) {
      sayError(error);
    }
    finding.disabled = false;
  }

  async function load(): Promise<void> {
    try {
      say("Loading the generator");
      await sampler?.dispose();
      sampler = await Sampler.load(fileUrl(run.name, "generator.onnx", Date.now()), {
        device: "wasm",
      });
      if (gone) return await sampler.dispose();
      const { classNames, conditional } = sampler.info;
      labelField.hidden = !conditional;
      label.replaceChildren(
        make("option", { value: "" }, "by seed"),
        ...(classNames ?? []).map((name) => make("option", { value: name }, name)),
      );
      controls.hidden = false;
      say(`Draws in this page on ${sampler.device.name}`);
      draw();
    } catch (error) {
      sayError(error);
    }
  }

  /** One drawing after another; the runtime takes one at a time. */
  function enqueue(work: (sampler: Sampler) => Promise<void>): void {
    turn = turn.then(async () => {
      if (sampler && !gone) await work(sampler);
    }).catch(sayError);
  }

  function options() {
    const chosen = label.value === "" ? {} : { label: label.value };
    return { truncation: truncation.valueAsNumber, ...chosen };
  }

  function draw(): void {
    enqueue(async (each) => {
      if (!seed.validity.valid) return;
      const count = each.info.output.kind === "image" ? IMAGES : POINTS;
      const drawn = await each.sample({ seed: seed.valueAsNumber, count, ...options() });
      samples.replaceChildren(...shown(drawn));
      first = drawn[0].isImage ? drawn[0] : undefined;
      finding.hidden = first === undefined;
      nearest.replaceChildren();
    });
    drawBetween();
  }

  function drawBetween(): void {
    enqueue(async (each) => {
      if (!from.validity.valid || !to.validity.valid) return;
      const frames = each.interpolate([from.valueAsNumber, to.valueAsNumber], {
        frames: STEPS + 1,
      });
      const latents = [frames[between.valueAsNumber]];
      const { label = 0, truncation } = options();
      const chosen = each.info.conditional ? { label } : {};
      middle.replaceChildren(...shown(await each.sample({ latents, truncation, ...chosen })));
    });
  }

  return {
    element,
    dispose() {
      gone = true;
      void turn.then(() => sampler?.dispose());
    },
  };
}

/** Images as they are; points as a plot of the first two values. */
function shown(drawn: readonly Sample[]): HTMLElement[] {
  if (drawn.every((sample) => sample.isImage)) {
    return drawn.map((sample) => {
      const raster = sample.toRaster();
      return canvasOf(raster.width, raster.height, (context) => {
        const rgba = new Uint8ClampedArray(sample.toRgba());
        context.putImageData(new ImageData(rgba, raster.width, raster.height), 0, 0);
      });
    });
  }
  const points = drawn.map(({ values }) => [values[0], values[1] ?? 0]);
  const largest = Math.max(1e-9, ...points.flat().map(Math.abs));
  return [canvasOf(PLOT, PLOT, (context) => {
    context.fillStyle = "#c2410c";
    for (const [x, y] of points) {
      const at = (value: number) => PLOT / 2 * (1 + 0.95 * value / largest);
      context.fillRect(at(x) - 1, PLOT - at(y) - 1, 2, 2);
    }
  })];
}

function canvasOf(
  width: number,
  height: number,
  paint: (context: CanvasRenderingContext2D) => void,
): HTMLElement {
  const canvas = make("canvas", { width, height });
  paint(canvas.getContext("2d")!);
  return canvas;
}

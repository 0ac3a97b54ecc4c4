/// <reference lib="dom" />
/** The samples of the first seed and those after it, as images to press or as a plot. */
import type { SampleList, Sampler } from "@ganforge/ganforge/sampler";
import { byId, latestOnly, numberOf, saveFile } from "./dom.ts";
import { plotSamples } from "./plot.ts";

const MAX_SEED = 0xffff_ffff;

/** What the page's other half must know of the gallery. */
export interface Gallery {
  /** Truncation and class as set now, for `sample`. */
  settings(): { truncation: number; label?: number };
  /** Draws again with another sampler. */
  show(sampler: Sampler): void;
  /** Marks numbers in the plot of samples that are no images. */
  mark(values: ArrayLike<number>): void;
}

/**
 * Wires the gallery up.
 * @param onPick called with the seed of a pressed sample
 * @param onSettings called when truncation or class change
 */
export function makeGallery(
  onPick: (seed: number) => void,
  onSettings: () => void,
  onError: (error: unknown) => void,
): Gallery {
  const seedInput = byId<HTMLInputElement>("seed");
  const countInput = byId<HTMLSelectElement>("count");
  const labelInput = byId<HTMLSelectElement>("label");
  const truncationInput = byId<HTMLInputElement>("truncation");
  const gallery = byId("gallery");
  const plot = byId<HTMLCanvasElement>("plot");
  let sampler: Sampler | null = null;
  let samples: SampleList | null = null;
  let marked: ArrayLike<number> | null = null;

  const settings = () => ({
    truncation: truncationInput.valueAsNumber,
    label: labelInput.value === "" ? undefined : Number(labelInput.value),
  });

  const draw = latestOnly(gallery, async () => {
    const used = sampler;
    if (used === null) return;
    try {
      const isImage = used.info.output.kind === "image";
      const count = Number(countInput.value);
      const seed = Math.min(numberOf(seedInput, 0), MAX_SEED - count + 1);
      const started = performance.now();
      samples = await used.sample({ seed, count, ...settings() });
      const perSample = (performance.now() - started) / count;
      byId("timing").textContent = `${Number(perSample.toPrecision(2))} ms a sample`;
      gallery.hidden = !isImage;
      plot.hidden = isImage;
      if (isImage) showImages(samples);
      else plot.ariaLabel = plotSamples(plot, samples, marked);
    } catch (error) {
      if (used === sampler) onError(error); // otherwise another generator took its place
    }
  });

  function showImages(images: SampleList): void {
    gallery.style.setProperty("--columns", `${Math.sqrt(Number(countInput.value))}`);
    while (gallery.children.length > images.length) gallery.lastElementChild!.remove();
    while (gallery.children.length < images.length) {
      const button = document.createElement("button");
      button.type = "button";
      button.tabIndex = gallery.children.length === 0 ? 0 : -1;
      button.append(document.createElement("canvas"));
      gallery.append(button);
    }
    images.forEach((image, i) => {
      const button = gallery.children[i] as HTMLButtonElement;
      const canvas = button.firstElementChild as HTMLCanvasElement;
      const pixels = image.toImageData();
      canvas.width = pixels.width;
      canvas.height = pixels.height;
      canvas.getContext("2d")!.putImageData(pixels, 0, 0);
      const className = image.label === null ? "" : `, ${sampler!.info.classNames?.[image.label]}`;
      button.ariaLabel = `Seed ${image.seed}${className}`;
      button.title = button.ariaLabel;
      button.dataset.seed = `${image.seed}`;
      button.ariaPressed = "false";
    });
  }

  gallery.addEventListener("click", (event) => {
    const button = (event.target as HTMLElement).closest("button");
    if (button === null) return;
    for (const each of gallery.children) each.ariaPressed = `${each === button}`;
    focusOn(button);
    onPick(Number(button.dataset.seed));
  });

  // One stop for Tab, arrows inside: the pattern of a toolbar.
  gallery.addEventListener("keydown", (event) => {
    const buttons = [...gallery.children] as HTMLButtonElement[];
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const columns = Math.sqrt(Number(countInput.value));
    const steps: Record<string, number> = {
      ArrowLeft: -1,
      ArrowRight: 1,
      ArrowUp: -columns,
      ArrowDown: columns,
      Home: -at,
      End: buttons.length - 1 - at,
    };
    const to = buttons[at + (steps[event.key] ?? NaN)];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    focusOn(to);
  });

  function focusOn(button: HTMLButtonElement): void {
    for (const each of gallery.children) (each as HTMLButtonElement).tabIndex = -1;
    button.tabIndex = 0;
    button.focus();
  }

  const moveSeed = (direction: number) => {
    const seed = numberOf(seedInput, 0) + direction * Number(countInput.value);
    seedInput.valueAsNumber = Math.max(0, Math.min(MAX_SEED, seed));
    draw();
  };
  byId("previous").addEventListener("click", () => moveSeed(-1));
  byId("next").addEventListener("click", () => moveSeed(1));
  seedInput.addEventListener("input", draw);
  countInput.addEventListener("change", draw);
  for (const input of [labelInput, truncationInput]) {
    input.addEventListener("input", () => {
      byId("truncation-value").textContent = truncationInput.valueAsNumber.toFixed(2);
      draw();
      onSettings();
    });
  }
  byId("save").addEventListener("click", async () => {
    if (samples === null) return;
    const name = `seed-${samples[0].seed}`;
    if (samples[0].isImage) {
      const text = { Software: "ganforge", "First seed": `${samples[0].seed}` };
      saveFile(await samples.grid().toPng(text), `${name}.png`, "image/png");
    } else {
      plot.toBlob(async (blob) => {
        if (blob !== null) {
          saveFile(new Uint8Array(await blob.arrayBuffer()), `${name}.png`, blob.type);
        }
      });
    }
  });

  return {
    settings,
    show(next) {
      sampler = next;
      const { classNames, conditional } = next.info;
      byId("label-field").hidden = !conditional;
      const options = (classNames ?? []).map((name, i) => new Option(name, `${i}`));
      const unnamed = conditional && classNames === null; // class 0 is all that is known to exist
      labelInput.replaceChildren(
        unnamed ? new Option("0", "0") : new Option("all in turn", ""),
        ...options,
      );
      const isImage = next.info.output.kind === "image";
      const counts = isImage ? [16, 36, 64] : [256, 1024, 4096];
      countInput.replaceChildren(...counts.map((count) => new Option(`${count}`)));
      countInput.selectedIndex = 1;
      byId("pick-hint").hidden = !isImage;
      gallery.replaceChildren();
      samples = marked = null;
      draw();
    },
    mark(values) {
      marked = values;
      if (samples !== null && !samples[0].isImage) plotSamples(plot, samples, marked);
    },
  };
}

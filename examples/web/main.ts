/// <reference lib="dom" />
/**
 * A page that draws from an exported generator: the one that it was written with, `?model=ADDRESS`, or a
 * file that is picked or dropped; the device
 * is `?device=wasm|webgpu|auto`, wasm by default, since WebGPU's glue needs a laxer policy.
 */
import { type LoadProgress, type ModelSource, Sampler } from "@ganforge/ganforge/sampler";
import { byId } from "./dom.ts";
import { makeExplorer } from "./explorer.ts";
import { makeGallery } from "./gallery.ts";

const status = byId("status");
const fileInput = byId<HTMLInputElement>("file");
const urlInput = byId<HTMLInputElement>("url");
const query = new URL(location.href).searchParams;
const device = query.get("device") as "auto" | "wasm" | "webgpu" | null ?? "wasm";
const explorer = makeExplorer(
  () => gallery.settings(),
  (values) => gallery.mark(values),
  showError,
);
const gallery = makeGallery((seed) => explorer.pick(seed), () => explorer.show(), showError);
let sampler: Sampler | null = null;
let loading: AbortController | null = null;

function say(message: string, isBad = false): void {
  status.textContent = message;
  status.classList.toggle("bad", isBad);
}

function showError(error: unknown): void {
  say((error as Error).message, true);
}

function showProgress({ stage, loadedBytes, totalBytes }: LoadProgress): void {
  const share = totalBytes === null ? "" : ` of ${megabytes(totalBytes)}`;
  if (stage === "model") say(`Loading the model: ${megabytes(loadedBytes)}${share}`);
  else if (stage === "runtime") say(`Loading ONNX Runtime: ${megabytes(loadedBytes)}${share}`);
  else if (stage === "start") say("Starting ONNX Runtime");
}

function megabytes(bytes: number): string {
  return bytes < 1e5 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Loads a generator in place of the one before; a load that is overtaken by another is dropped. */
async function open(source: ModelSource, name: string): Promise<void> {
  loading?.abort();
  const { signal } = loading = new AbortController();
  say(`Loading ${name}`);
  try {
    const next = await Sampler.load(source, { device, signal, onProgress: showProgress });
    describe(next, name);
    byId("main").hidden = false;
    gallery.show(next);
    explorer.show(next);
    await sampler?.dispose();
    sampler = next;
  } catch (error) {
    if (!signal.aborted) showError(error);
  }
}

function describe({ info, device }: Sampler, name: string): void {
  const { output, latent, classNames, manifest } = info;
  const facts = [
    `${name}: ${describeOutput(output)}`,
    `latents of ${latent.dimension} ${latent.distribution} values`,
    classNames === null ? null : `${classNames.length} classes`,
    manifest?.step ? `${manifest.step} training steps` : null,
    megabytes(info.sizeBytes),
  ];
  say(facts.filter((fact) => fact !== null).join(" · "));
  const threads = device.threads === 1 ? "1 thread" : `${device.threads} threads`;
  byId("device").textContent = `Runs on ${device.adapter ?? `${device.name}, ${threads}`}.`;
}

function describeOutput({ kind, shape }: Sampler["info"]["output"]): string {
  if (kind !== "image") return `samples of ${shape.join(" × ")} values`;
  const [channels, height, width] = shape;
  const colors = { 1: "gray", 3: "colors", 4: "colors and alpha" }[channels];
  return `images of ${width}\u00a0×\u00a0${height} in ${colors}`;
}

fileInput.addEventListener("change", () => {
  const [file] = fileInput.files ?? [];
  if (file !== undefined) open(file, file.name);
  fileInput.value = ""; // so that the same file can be opened again
});
byId("open").addEventListener("submit", (event) => {
  event.preventDefault();
  if (urlInput.value !== "") open(urlInput.value, urlInput.value);
});
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  const [file] = event.dataTransfer?.files ?? [];
  if (file !== undefined) open(file, file.name);
});

const model = query.get("model") ?? document.body.dataset.model; // the one that the page came with
if (model !== undefined) open(model, model);

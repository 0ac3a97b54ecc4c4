/**
 * Features by any ONNX file: one image input `[N, C, H, W]`, a first output `[N, D]`. The conventions
 * are in docs/measures.md: 8-bit images are made gray or RGB as C asks, brought to H x W (smaller by
 * Lanczos-3, larger by bicubic interpolation), and go in as bytes to a uint8 input, or scaled to
 * [-1, 1], or the range that the file names in its metadata, to a float32 input.
 */
import { concatFloats } from "../bytes.ts";
import { sha256 } from "../hash.ts";
import { toChannels } from "../data/images/raster.ts";
import { resizeToSize } from "../data/images/resize.ts";
import { loadModel } from "../ort/model.ts";
import { UserError } from "../errors.ts";
import { readModelFile, type TensorInfo } from "../sampler/model_file.ts";
import { type FeatureExtractor, softmaxRows } from "./features.ts";
import type { PixelBatch } from "./pixels.ts";

/** The metadata key with which a file names the values of black and white, such as `[0, 1]`. */
const RANGE_KEY = "ganforge.inputRange";

/** Outputs beside the first from which a score is taken. */
const CLASS_OUTPUTS = ["probabilities", "logits"];

/** Float32 values that a run may take: 64 MB. */
const INPUT_NUMBERS = 1 << 24;

const FLOAT32 = 1;
const UINT8 = 2;

/** How images go into a file. */
interface ImageInput {
  name: string;
  isBytes: boolean;
  /** Samples of a run, where the file insists on a number. */
  fixedBatch: number | null;
  channels: 1 | 3;
  height: number;
  width: number;
  range: [number, number];
}

/**
 * Opens an extractor.
 * @param imageShape `[height, width, channels]` of the images, for a file that leaves its size open
 * @throws {UserError} when it cannot be read or run, or its input or output is not of that form
 */
export async function openOnnxExtractor(
  path: string,
  imageShape: readonly number[],
): Promise<FeatureExtractor> {
  const bytes = await readFile(path);
  const file = readModelFile(bytes, path);
  const input = imageInput(path, file.inputs, file.metadata.get(RANGE_KEY), imageShape);
  const [output] = file.outputs;
  if (!output) throw new UserError(`Cannot take features from ${path}: it has no output`);
  const classes = file.outputs.find(({ name }) => CLASS_OUTPUTS.includes(name))?.name;
  const wanted = [...new Set([output.name, ...(classes === undefined ? [] : [classes])])];
  const model = await loadModel(bytes, path);

  async function run(batch: PixelBatch): Promise<Record<string, Float32Array>> {
    const size = input.fixedBatch ??
      Math.max(1, Math.floor(INPUT_NUMBERS / (input.channels * input.height * input.width)));
    const found: Record<string, Float32Array[]> = {};
    for (let first = 0; first < batch.count; first += size) {
      const count = Math.min(size, batch.count - first);
      const padded = input.fixedBatch ?? count;
      const data = await prepare(input, batch, { first, count, padded });
      const shape = [padded, input.channels, input.height, input.width];
      const outputs = await model.run({ [input.name]: { data, shape } }, wanted);
      for (const [name, { data, shape }] of Object.entries(outputs)) {
        checkRows(path, name, shape, padded);
        (found[name] ??= []).push(data.subarray(0, data.length / padded * count));
      }
    }
    return Object.fromEntries(
      Object.entries(found).map(([name, parts]) => [name, concatFloats(parts)]),
    );
  }

  try {
    const [height, width, channels] = imageShape;
    const probe = new Uint8Array(height * width * channels);
    const one = { data: probe, count: 1, height, width, channels: channels as 1 | 3 };
    const lengths = await run(one); // tells D where the file does not
    const digest = sha256(bytes).slice(0, 8);
    const classCount = classes === undefined ? 0 : lengths[classes].length;
    return {
      name: `${path.split(/[\\/]/).pop()} (sha256 ${digest})`,
      description: `${describeInput(input, imageShape)}; ${model.runtime}`,
      dimensions: lengths[output.name].length,
      classes: classCount,
      async extract(batch) {
        const found = await run(batch);
        const features = found[output.name];
        if (classes === undefined) return { features };
        const raw = found[classes];
        return {
          features,
          probabilities: classes === "logits" ? softmaxRows(raw, classCount) : raw,
        };
      },
      dispose: () => model.dispose(),
    };
  } catch (error) {
    await model.dispose();
    throw error;
  }
}

async function readFile(path: string): Promise<Uint8Array> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    const fault = error instanceof Deno.errors.NotFound
      ? "there is no such file"
      : (error as Error).message;
    throw new UserError(`Cannot take features from ${path}: ${fault}`, { cause: error });
  }
}

/** Understands the input, or says what does not fit. */
function imageInput(
  path: string,
  inputs: TensorInfo[],
  range: string | undefined,
  [imageHeight, imageWidth, imageChannels]: readonly number[],
): ImageInput {
  const refuse = (fault: string): never => {
    throw new UserError(
      `Cannot take features from ${path}: ${fault}; an extractor takes one image input ` +
        "[N, C, H, W], float32 or uint8, C 1 or 3",
    );
  };
  if (inputs.length !== 1) {
    const names = inputs.map(({ name }) => name).join(", ");
    refuse(`it has ${inputs.length} inputs${names && ` (${names})`}`);
  }
  const [{ name, elementType, shape }] = inputs;
  if (elementType !== FLOAT32 && elementType !== UINT8) {
    refuse(`its input ${name} is neither float32 nor uint8`);
  }
  const shown = shape?.map((size) => size ?? "?").join(", ") ?? "of unknown rank";
  if (shape?.length !== 4) refuse(`its input ${name} is [${shown}]`);
  const [fixedBatch, channels, height, width] = shape!;
  const wanted = channels ?? imageChannels;
  if (wanted !== 1 && wanted !== 3) {
    const hint = width === 1 || width === 3 ? " (that looks like N, H, W, C)" : "";
    refuse(`its input ${name} is [${shown}], with ${wanted} channels${hint}`);
  }
  return {
    name,
    isBytes: elementType === UINT8,
    fixedBatch,
    channels: wanted as 1 | 3,
    height: height ?? imageHeight,
    width: width ?? imageWidth,
    range: readRange(path, range),
  };
}

function readRange(path: string, text: string | undefined): [number, number] {
  if (text === undefined) return [-1, 1];
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value) && value.length === 2 && value.every(Number.isFinite)) {
      return value as [number, number];
    }
  } catch {
    // said below
  }
  throw new UserError(
    `Cannot take features from ${path}: its metadata ${RANGE_KEY} is ${text}, expected two numbers ` +
      "such as [0, 1]",
  );
}

/** The output must be a row of values a sample; 1 x 1 images of features are that too. */
function checkRows(path: string, name: string, shape: number[], count: number): void {
  const isRows = shape.length >= 2 && shape[0] === count && shape.slice(2).every((n) => n === 1);
  if (isRows) return;
  throw new UserError(
    `Cannot take features from ${path}: its output ${name} is [${shape.join(", ")}] for ${count} ` +
      `images, expected [${count}, D]; pool or flatten it in the file`,
  );
}

/** Images `first` to `first + count - 1` as the file takes them, zeros after them. */
async function prepare(
  input: ImageInput,
  batch: PixelBatch,
  { first, count, padded }: { first: number; count: number; padded: number },
): Promise<Float32Array | Uint8Array> {
  const { channels, height, width, range: [low, high], isBytes } = input;
  const from = batch.height * batch.width * batch.channels;
  const plane = height * width;
  const out = new (isBytes ? Uint8Array : Float32Array)(padded * channels * plane);
  for (let i = 0; i < count; i++) {
    const data = batch.data.subarray((first + i) * from, (first + i + 1) * from);
    const converted = toChannels({ ...batch, data }, channels);
    const pixels = (await resizeToSize(converted, { width, height })).data;
    for (let c = 0; c < channels; c++) {
      const start = (i * channels + c) * plane;
      for (let p = 0; p < plane; p++) {
        const byte = pixels[p * channels + c];
        out[start + p] = isBytes ? byte : low + (high - low) * byte / 255;
      }
    }
  }
  return out;
}

function describeInput(input: ImageInput, [height, width, channels]: readonly number[]): string {
  const sized = input.height === height && input.width === width
    ? `${width} x ${height} pixels as they are`
    : `${width} x ${height} pixels resized to ${input.width} x ${input.height} on 8 bits, smaller by Lanczos-3, larger by bicubic interpolation`;
  const colored = input.channels === channels
    ? ""
    : input.channels === 3
    ? ", gray repeated as RGB"
    : ", RGB made gray by BT.601";
  return `${sized}${colored}, ${input.isBytes ? "as bytes" : `in [${input.range.join(", ")}]`}`;
}

/** What `deno task sample --interpolate` writes: frames on the way through the latents of several seeds. */
import { parseNumberList } from "../../src/config/number_list.ts";
import { loadSharp } from "../../src/data/images/sharp.ts";
import { UserError } from "../../src/errors.ts";
import { ensureFolder, PARTIAL_PREFIX, writeFileAtomically } from "../../src/files.ts";
import { animatedGif } from "../../src/report/gif.ts";
import { enlarge } from "../../src/report/image_grid.ts";
import type { Raster, Sample, SampleOptions, Sampler } from "../../src/sampler/mod.ts";
import type { OptionSpec } from "../../cli/command_types.ts";
import type { ParsedCommand } from "../../cli/command.ts";

/** The options of animations. */
export const ANIMATION_OPTIONS: Record<string, OptionSpec> = {
  interpolate: {
    value: "LIST",
    help:
      "go through these seeds, such as 0,5,9, as an animation: --out walk.gif, .webp, .mp4, .webm, or frames/",
  },
  frames: { value: "N", help: "of an animation (default 60)" },
  fps: { value: "N", help: "frames a second of an animation (default 20)" },
  mode: {
    value: "spherical|linear",
    help: "the way between two seeds (default spherical; linear for uniform latents)",
  },
  loop: { help: "go on from the last seed to the first" },
};

/** An animation as it is asked for. */
export interface Animation {
  seeds: number[];
  frames: number;
  fps: number;
  mode?: "spherical" | "linear";
  loop: boolean;
}

const MAX_FRAMES = 10_000;

/** The side, in pixels, that frames of small images are enlarged toward. */
const FRAME_SIDE = 256;

/** Memory that the frames of a file may take, which is made of all of them. */
const MAX_FRAME_BYTES = 2 ** 29;

/**
 * Reads the options of an animation.
 * @returns undefined where none is asked for
 * @throws {UserError} where they contradict each other
 */
export function readAnimation(command: ParsedCommand): Animation | undefined {
  const list = command.text("interpolate");
  if (list === undefined) {
    const useless = ["frames", "fps", "mode"].find((name) => command.text(name) !== undefined) ??
      (command.flag("loop") ? "loop" : undefined);
    if (useless === undefined) return undefined;
    throw new UserError(
      `Cannot sample with --${useless}: it is for an animation, as in --interpolate 0,5,9`,
    );
  }
  const other = ["count", "seed", "seeds", "columns"].find((name) =>
    command.text(name) !== undefined
  );
  if (other) {
    throw new UserError(
      `Cannot interpolate with --${other}: --interpolate names the seeds, and each frame is one image`,
    );
  }
  const seeds = parseNumberList(list, "--interpolate");
  if (seeds.length < 2) {
    throw new UserError(
      `Cannot interpolate through ${list}: it takes two seeds or more, as in 0,5,9`,
    );
  }
  return {
    seeds,
    frames: command.integer("frames", { min: 2, max: MAX_FRAMES }) ?? 60,
    fps: command.integer("fps", { min: 1, max: 50 }) ?? 20,
    mode: command.choice("mode", ["spherical", "linear"]),
    loop: command.flag("loop"),
  };
}

/** Writes a file or a folder of frames. */
type Write = (frames: AsyncIterable<Raster>) => Promise<void>;

/**
 * Draws the frames and writes them.
 * @param options.request truncation, label and text of all frames
 * @returns how many
 * @throws {UserError} where the file's name ends in no format of animations, or ffmpeg is not there
 */
export async function writeAnimation(
  sampler: Sampler,
  animation: Animation,
  { out, scale, request, onFrame }: {
    out: string;
    scale?: number;
    request: Pick<SampleOptions, "truncation" | "label" | "text">;
    onFrame?: (samples: AsyncIterable<Sample>, total: number) => AsyncIterable<Sample>;
  },
): Promise<number> {
  const { output, classNames, conditional } = sampler.info;
  const { seeds, frames, fps } = animation;
  if (output.kind !== "image") {
    throw new UserError(
      `Cannot interpolate ${sampler.info.name}: it makes points, and animations show images`,
    );
  }
  const [channels, height, width] = output.shape;
  const factor = scale ?? Math.max(1, Math.floor(FRAME_SIDE / Math.max(width, height)));
  const write = await writerOf(out, {
    fps,
    bytes: frames * height * width * channels * factor ** 2,
  });
  let label = request.label;
  if (label === undefined && conditional && classNames !== null) {
    const number = seeds[0] % classNames.length;
    label = number;
    console.error(`note      all frames show class ${classNames[number]}; --label takes another`);
  }
  const latents = sampler.interpolate(seeds, animation);
  const samples = sampler.stream({
    ...request,
    latents,
    ...(label === undefined ? {} : { label }),
  });
  const shown = onFrame?.(samples, frames) ?? samples;
  await write((async function* () {
    for await (const sample of shown) yield enlarge(sample.toRaster(), factor);
  })());
  return frames;
}

/** How a file of this name is written; what cannot be is refused before anything is drawn. */
async function writerOf(
  out: string,
  { fps, bytes }: { fps: number; bytes: number },
): Promise<Write> {
  if (out.endsWith("/")) return (frames) => writeFrames(frames, out);
  const format = /[^/]\.(gif|webp|mp4|webm)$/i.exec(out)?.[1].toLowerCase();
  if (format === undefined) {
    throw new UserError(
      `Cannot write ${out}: expected a name that ends in .gif, .webp, .mp4 or .webm, or a folder with a / ` +
        "at its end",
    );
  }
  if (format === "mp4" || format === "webm") {
    await checkFfmpeg(out);
    return (frames) => writeVideo(frames, out, fps);
  }
  if (bytes > MAX_FRAME_BYTES) {
    throw new UserError(
      `Cannot write ${out}: its frames take ${(bytes / 1e9).toPrecision(3)} GB, and at most ${
        (MAX_FRAME_BYTES / 1e9).toPrecision(2)
      } GB are held; take fewer --frames, a smaller --scale, or a folder, as in --out frames/`,
    );
  }
  return format === "gif"
    ? (frames) => writeGif(frames, out, fps)
    : (frames) => writeWebp(frames, out, fps);
}

async function writeFrames(frames: AsyncIterable<Raster>, folder: string): Promise<void> {
  await ensureFolder(folder.replace(/\/$/, ""));
  let number = 0;
  for await (const frame of frames) {
    const name = `frame${String(number++).padStart(4, "0")}.png`;
    await writeFileAtomically(folder + name, await frame.toPng());
  }
}

async function writeGif(frames: AsyncIterable<Raster>, out: string, fps: number): Promise<void> {
  const delayMs = 10 * Math.round(100 / fps);
  if (delayMs * fps !== 1000) {
    console.error(
      `note      a GIF counts in hundredths of a second: ${
        Number((1000 / delayMs).toFixed(1))
      } frames a second`,
    );
  }
  const all = await Array.fromAsync(frames);
  const options = { delayMs, lastDelayMs: delayMs, maxFrames: MAX_FRAMES };
  await writeWhole(out, animatedGif(all, options));
}

async function writeWebp(frames: AsyncIterable<Raster>, out: string, fps: number): Promise<void> {
  const { sharp } = await loadSharp();
  const all = await Array.fromAsync(frames);
  const inputs = await Promise.all(all.map((frame) => frame.toPng()));
  const bytes = await sharp(inputs, { join: { animated: true } })
    .webp({ lossless: true, loop: 0, delay: all.map(() => Math.round(1000 / fps)) })
    .toBuffer();
  await writeWhole(out, Uint8Array.from(bytes));
}

/** @throws {UserError} where there is no ffmpeg */
async function checkFfmpeg(out: string): Promise<void> {
  try {
    await new Deno.Command("ffmpeg", { args: ["-version"], stdout: "null", stderr: "null" })
      .output();
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotCapable;
    if (!isMissing) throw error;
    throw new UserError(
      `Cannot write ${out}: videos take ffmpeg, which is not installed; install it, or write .gif, .webp or ` +
        "a folder of frames",
      { cause: error },
    );
  }
}

/** Pipes frames through ffmpeg into a file that gets its name when it is whole. */
async function writeVideo(frames: AsyncIterable<Raster>, out: string, fps: number): Promise<void> {
  const slash = out.lastIndexOf("/") + 1;
  if (slash > 1) await ensureFolder(out.slice(0, slash - 1));
  const partial = `${out.slice(0, slash)}${PARTIAL_PREFIX}${out.slice(slash)}`;
  const iterator = frames[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done) return;
  const { width, height } = first.value;
  const child = new Deno.Command("ffmpeg", {
    args: [
      ...["-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgba"],
      ...["-s", `${width}x${height}`, "-r", String(fps), "-i", "pipe:0"],
      // Players want even sides, and half as many color samples.
      ...["-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p", partial],
    ],
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const said = new Response(child.stderr).text();
  const writer = child.stdin.getWriter();
  try {
    for (let frame: IteratorResult<Raster> = first; !frame.done; frame = await iterator.next()) {
      await writer.write(overWhite(frame.value));
    }
    await writer.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) {
      child.kill();
      await child.status;
      await said;
      throw error;
    }
  }
  const { success } = await child.status;
  const message = (await said).trim().split("\n").at(-1);
  if (!success) {
    await Deno.remove(partial).catch(() => {});
    throw new UserError(`Cannot write ${out}: ffmpeg says: ${message || "nothing"}`);
  }
  await Deno.rename(partial, out);
}

/** RGBA, with what is transparent in white: videos are opaque. */
function overWhite(frame: Raster): Uint8Array {
  const rgba = Uint8Array.from(frame.toRgba());
  if (frame.channels !== 4) return rgba;
  for (let i = 0; i < rgba.length; i += 4) {
    const alpha = rgba[i + 3] / 255;
    for (let c = 0; c < 3; c++) rgba[i + c] = Math.round(255 + alpha * (rgba[i + c] - 255));
    rgba[i + 3] = 255;
  }
  return rgba;
}

async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const slash = path.lastIndexOf("/");
  if (slash > 0) await ensureFolder(path.slice(0, slash));
  await writeFileAtomically(path, bytes);
}

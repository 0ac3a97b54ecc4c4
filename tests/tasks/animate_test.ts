/** `deno task sample --interpolate`, `--grid labels` and `--truncations`: what is written, and what is refused. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { parseCommand, type ParsedCommand } from "../../cli/command.ts";
import { decodeImage } from "../../src/data/images/decode.ts";
import { loadSharp } from "../../src/data/images/sharp.ts";
import { UserError } from "../../src/errors.ts";
import { enlarge } from "../../src/report/image_grid.ts";
import { grid, Sampler } from "../../src/sampler/mod.ts";
import { ANIMATION_OPTIONS, readAnimation, writeAnimation } from "../../tasks/cli/animate.ts";
import { drawSheet, planSheet, SHEET_OPTIONS } from "../../tasks/cli/sheets.ts";
import { decodeGif } from "../report/gif_decoder.ts";

const FIXTURES = new URL("../../fixtures/sampler/", import.meta.url);

function load(name: string): Promise<Sampler> {
  return Sampler.load(new URL(`${name}.onnx`, FIXTURES), { device: "wasm", threads: 1 });
}

function parse(...args: string[]): ParsedCommand {
  const options = {
    ...ANIMATION_OPTIONS,
    ...SHEET_OPTIONS,
    ...Object.fromEntries(
      ["count", "seed", "seeds", "columns", "label", "trunc"].map((name) => [name, {
        help: "",
        value: "X",
      }]),
    ),
  };
  return parseCommand(
    { name: "sample", summary: "", positionals: "", maxPositionals: 0, options },
    args,
  );
}

Deno.test("an animation goes through its seeds, in a GIF, a WebP, a video and a folder of frames", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await using sampler = await load("rgb");
    const animation = readAnimation(parse("--interpolate", "4,7,9", "--frames", "5"))!;
    const options = { scale: 2, request: { truncation: 1 } };
    const write = (out: string) => writeAnimation(sampler, animation, { out, ...options });
    assertEquals(await write(`${folder}/frames/`), 5);
    for (const [frame, seed] of [[0, 4], [2, 7], [4, 9]]) {
      const [sample] = await sampler.sample({ seeds: [seed] });
      const file = await Deno.readFile(`${folder}/frames/frame000${frame}.png`);
      const image = await decodeImage(file, "a frame");
      assertEquals([...image.data], [...enlarge(sample.toRaster(), 2).data], `seed ${seed}`);
    }
    await write(`${folder}/walk.gif`);
    const gif = decodeGif(await Deno.readFile(`${folder}/walk.gif`));
    assertEquals(gif.frames.length, 5);
    await write(`${folder}/walk.webp`);
    const { sharp } = await loadSharp();
    const { pages, delay, width } = await sharp(`${folder}/walk.webp`).metadata();
    assertEquals([pages, delay, width], [5, Array(5).fill(50), 2 * sampler.info.output.shape[2]]);
    for (const name of ["walk.mp4", "walk.webm"]) {
      if (await hasFfmpeg()) {
        await write(`${folder}/${name}`);
        assert((await Deno.stat(`${folder}/${name}`)).size > 100, name);
      } else {
        const error = await assertRejects(() => write(`${folder}/${name}`), UserError);
        assert(error.message.includes("videos take ffmpeg"), error.message);
      }
    }
    await assertRejects(
      () => write(`${folder}/walk.avi`),
      UserError,
      "expected a name that ends in .gif, .webp, .mp4 or .webm",
    );
    const names = await Array.fromAsync(Deno.readDir(folder), (entry) => entry.name);
    assert(!names.some((name) => name.startsWith(".partial")), String(names));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("all frames of a conditional generator show one class, by default that of the first seed", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await using sampler = await load("conditional");
    const animation = readAnimation(parse("--interpolate", "4,9", "--frames", "2", "--loop"))!;
    await writeAnimation(sampler, animation, { out: `${folder}/f/`, scale: 1, request: {} });
    const [first] = await sampler.sample({ seeds: [4], label: 1 });
    const [second] = await sampler.sample({ seeds: [9], label: 1 });
    for (const [index, sample] of [first, second].entries()) {
      const image = await decodeImage(await Deno.readFile(`${folder}/f/frame000${index}.png`), "f");
      assertEquals([...image.data], [...sample.toRaster().data]);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a sheet shows classes by seeds or truncations by seeds, with names in its margins", async () => {
  await using sampler = await load("conditional");
  const out = "sheet.png";
  const request = { count: 2, seed: 3, truncation: 0.5 };
  for (
    const [args, rowNames, columnNames] of [
      [["--grid", "labels"], ["seed 3", "seed 4"], ["circle", "square", "star"]],
      [["--truncations", "0,1"], ["truncation 0", "truncation 1"], ["seed 3", "seed 4"]],
    ] as const
  ) {
    const sheet = planSheet(parse(...args), sampler, { request, out })!;
    assertEquals([sheet.rowNames, sheet.columnNames], [[...rowNames], [...columnNames]]);
    const { png, count } = await drawSheet(sampler, sheet, { scale: 1 });
    assertEquals(count, rowNames.length * columnNames.length);
    const samples = await Promise.all(
      rowNames.flatMap((_, row) =>
        columnNames.map((_, column) =>
          sampler.sample(
            args[0] === "--grid"
              ? { seeds: [3 + row], label: column, truncation: 0.5 }
              : { seeds: [3 + column], truncation: row },
          )
        )
      ),
    );
    const plain = grid(samples.map(([sample]) => sample.toRaster()), {
      columns: columnNames.length,
      padding: 1,
    });
    // The images are at the lower right, each pixel as it is; the names are above and beside.
    const drawn = await decodeImage(png, "the sheet");
    const [left, top] = [drawn.width - plain.width, drawn.height - plain.height];
    assert(left > 10 && top > 10, `${left} ${top}`);
    for (let y = 0; y < plain.height; y++) {
      const from = (top + y) * drawn.width + left;
      const row = drawn.data.subarray(3 * from, 3 * (from + plain.width));
      assertEquals([...row], [
        ...plain.data.subarray(3 * y * plain.width, 3 * (y + 1) * plain.width),
      ]);
    }
    const margin = drawn.data.subarray(0, 3 * top * drawn.width);
    assert(margin.some((value) => value < 128), "the names are drawn");
  }
});

Deno.test("options of animations and sheets that make no sense are refused in a line", async () => {
  for (
    const [args, message] of [
      [["--frames", "3"], "--frames: it is for an animation"],
      [["--loop"], "--loop: it is for an animation"],
      [["--interpolate", "3"], "it takes two seeds or more"],
      [["--interpolate", "0,1", "--count", "2"], "--interpolate names the seeds"],
      [["--interpolate", "0,1", "--frames", "1"], "--frames"],
      [["--interpolate", "0,1", "--mode", "cubic"], "expected spherical, linear"],
    ] as const
  ) assertThrows(() => readAnimation(parse(...args)), UserError, message);
  await using points = await load("points");
  await using rgb = await load("rgb");
  for (
    const [sampler, args, message, out = "a.png"] of [
      [rgb, ["--grid", "labels"], "knows no classes"],
      [points, ["--truncations", "0,1"], "makes points, and a sheet shows images"],
      [rgb, ["--truncations", "0,x"], '"x" is no number'],
      [rgb, ["--truncations", "0,1", "--trunc", "1"], "--trunc would change nothing"],
      [rgb, ["--truncations", "0,1", "--grid", "labels"], "not both"],
      [rgb, ["--truncations", "0,1"], "a name that ends in .png", "a/"],
    ] as const
  ) {
    const plan = () => planSheet(parse(...args), sampler, { request: { count: 1 }, out });
    assertThrows(plan, UserError, message);
  }
  const animation = readAnimation(parse("--interpolate", "0,1"))!;
  await assertRejects(
    () => writeAnimation(points, animation, { out: "a.gif", request: {} }),
    UserError,
    "it makes points, and animations show images",
  );
});

async function hasFfmpeg(): Promise<boolean> {
  try {
    return (await new Deno.Command("ffmpeg", { args: ["-version"], stdout: "null" }).output())
      .success;
  } catch {
    return false;
  }
}

/**
 * Loading data: photos beside Pillow, many small images, and data larger than memory.
 *
 *     deno run -A bench/data.ts                     # 300 photos, 20,000 PNGs, 60,000 npy images, 12 GB
 *     deno run -A bench/data.ts --scale 0.05        # a twentieth of all, for a busy machine
 *     deno run -A bench/data.ts --side 32 --batch 64 --steps 200 --device webgpu
 *
 * Files are made in a folder of their own in /var/tmp (--folder) and removed at the end. Pillow comes from
 * Debian's python3-pil; without it its row is left out, and said.
 */
import { parseArgs } from "@std/cli/parse-args";
import sharp from "sharp";
import { fillBits } from "../src/random/counter_random.ts";

const args = parseArgs(Deno.args, {
  string: ["scale", "folder", "device", "side", "steps", "batch"],
});
const scale = Number(args.scale ?? 1);
const device = args.device ?? "cpu";
const side = Number(args.side ?? 256);
const root = await Deno.makeTempDir({ dir: args.folder ?? "/var/tmp", prefix: "ganforge-data-" });
const here = (name: string) => new URL(`./data/${name}`, import.meta.url).pathname;
const scaled = (count: number) => Math.max(4, Math.round(count * scale));

interface Opening {
  seconds: number;
  megabytes: number;
  count: number;
}

async function run(command: string, args: string[]): Promise<string | undefined> {
  const output = await new Deno.Command(command, { args, stderr: "piped" }).output()
    .catch(() => undefined);
  if (output?.success) return new TextDecoder().decode(output.stdout).trim();
  if (output) console.error(new TextDecoder().decode(output.stderr).trim().split("\n").at(-1));
  return undefined;
}

async function open(path: string, side: number): Promise<Opening> {
  const script = ["run", "-A", here("open_once.ts"), path, String(side), `${root}/cache`];
  const text = await run(Deno.execPath(), script);
  if (text === undefined) throw new Error(`opening ${path} failed`);
  return JSON.parse(text.split("\n").at(-1)!);
}

function report(what: string, { seconds, megabytes, count }: Opening): void {
  console.log(
    `${what.padEnd(44)} ${seconds.toFixed(2).padStart(8)} s ${
      megabytes.toFixed(0).padStart(6)
    } MB  ` +
      `${count} images`,
  );
}

async function twice(what: string, path: string, side: number): Promise<void> {
  report(`${what}, first`, await open(path, side));
  report(`${what}, second`, await open(path, side));
}

async function makePhotos(folder: string, count: number): Promise<void> {
  await Deno.mkdir(folder);
  for (let i = 0; i < count; i++) {
    const small = new Uint8Array(60 * 40 * 3);
    fillBits(new Uint32Array(small.buffer), { seed: 2, stream: 1, step: i });
    const photo = sharp(small, { raw: { width: 60, height: 40, channels: 3 } })
      .resize(3000, 2000, { kernel: "cubic" }).jpeg({ quality: 88 });
    await photo.toFile(`${folder}/${String(i).padStart(4, "0")}.jpg`);
  }
}

async function makePngs(folder: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    if (i % 100 === 0) await Deno.mkdir(`${folder}/${i / 100 % 10}`, { recursive: true });
    const pixels = new Uint8Array(48 * 48 * 3);
    fillBits(new Uint32Array(pixels.buffer), { seed: 3, stream: 1, step: i });
    await sharp(pixels, { raw: { width: 48, height: 48, channels: 3 } }).png()
      .toFile(`${folder}/${Math.floor(i / 100) % 10}/${i}.png`);
  }
}

/** Bytes of noise, of which 64 MiB repeat. */
async function makeNpy(path: string, shape: readonly number[]): Promise<void> {
  const header = `{'descr': '|u1', 'fortran_order': False, 'shape': (${shape.join(", ")}), }`;
  const start = new Uint8Array(128);
  start.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0]);
  start.set(new TextEncoder().encode(header.padEnd(117) + "\n"), 10);
  const noise = new Uint8Array(2 ** 26 - 1); // an odd number, so that images differ
  fillBits(new Uint32Array(noise.buffer, 0, 2 ** 24 - 1), { seed: 4, stream: 1, step: 0 });
  using file = await Deno.open(path, { write: true, createNew: true });
  const write = async (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
  };
  await write(start);
  const size = shape.reduce((product, side) => product * side);
  for (let done = 0; done < size; done += noise.length) {
    await write(noise.subarray(0, Math.min(noise.length, size - done)));
  }
}

async function train(what: string, path: string, memory: number, steps: number): Promise<void> {
  const script = ["run", "-A", here("train_once.ts"), path, String(memory), String(steps)];
  const text = await run(Deno.execPath(), [...script, String(args.batch ?? 8), device]);
  if (text === undefined) throw new Error(`training on ${path} failed`);
  const { rate, megabytes, openSeconds, hash } = JSON.parse(text.split("\n").at(-1)!);
  console.log(
    `${what.padEnd(44)} ${rate.toFixed(2).padStart(8)} images/s ${megabytes.toFixed(0)} MB, ` +
      `opened in ${openSeconds.toFixed(1)} s, state ${hash}`,
  );
}

try {
  const photos = scaled(300);
  await makePhotos(`${root}/photos`, photos);
  const pillow = await run("/usr/bin/python3", [here("pillow.py"), `${root}/photos`, "128"]);
  if (pillow === undefined) console.log("Pillow is not there: apt-get install python3-pil");
  else {console.log(
      `Pillow, draft mode, all cores`.padEnd(44),
      `${Number(pillow.split(" ")[0]).toFixed(2).padStart(8)} s`,
    );}
  await twice(`${photos} photos of 3000 x 2000 to 128 x 128`, `${root}/photos`, 128);
  const pngs = scaled(20_000);
  await makePngs(`${root}/pngs`, pngs);
  await twice(`${pngs} PNGs of 48 x 48 to 32 x 32`, `${root}/pngs`, 32);
  const arrays = scaled(60_000);
  await makeNpy(`${root}/images.npy`, [arrays, 28, 28]);
  await twice(`${arrays} npy images of 28 x 28`, `${root}/images.npy`, 28);
  await twice(`${arrays} npy images of 28 x 28 to 32 x 32`, `${root}/images.npy`, 32);
  const count = scaled(12e9 / (3 * side * side));
  const part = Math.max(64, Math.round(count / 40));
  const steps = Number(args.steps ?? Math.max(5, Math.round(20 * scale)));
  await makeNpy(`${root}/large.npy`, [count, side, side, 3]);
  await makeNpy(`${root}/part.npy`, [part, side, side, 3]);
  const gigabytes = (count * 3 * side * side / 1e9).toFixed(1);
  await train(`${gigabytes} GB of ${side} x ${side}, from the file`, `${root}/large.npy`, 0, steps);
  await train(`${part} of them, in memory`, `${root}/part.npy`, Infinity, steps);
  await train(`the same, from the file`, `${root}/part.npy`, 0, steps);
} finally {
  await Deno.remove(root, { recursive: true });
}

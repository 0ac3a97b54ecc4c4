/**
 * Measures the matrix kernels with tiles of many shapes, and the sum in more or fewer parts, and prints
 * for each case the best and what src/engine/webgpu/tuning.ts chooses.
 *
 *     deno run --allow-read --allow-env --allow-sys bench/webgpu_tiles.ts [--json] [NAME ...]
 */
import type { WebGpuFunction } from "../src/engine/webgpu/compiled_function.ts";
import { openWebGpu } from "../src/engine/webgpu/device.ts";
import { createWebGpuEngine } from "../src/engine/webgpu/engine.ts";
import { GPU_TUNING, type GroupTile, groupTile } from "../src/engine/webgpu/tuning.ts";
import { passMilliseconds } from "./device_time.ts";
import { functionOf, inputSpecs, KERNEL_CASES } from "./kernel_cases.ts";

/** Sums are split until there are this many workgroups. */
const ENOUGH = [1, 128, 256, 512, 1024];

/** Rows, columns and depth of a tile; rows and columns of a thread, and its slices. */
const CANDIDATES: Parameters<typeof groupTile>[] = [
  [[32, 4, 32], [4, 4, 8]],
  [[32, 8, 32], [4, 4, 8]],
  [[64, 16, 16], [4, 4]],
  [[64, 16, 32], [4, 4, 4]],
  [[32, 32, 16], [4, 4]],
  [[32, 32, 32], [4, 4, 2]],
  [[32, 64, 16], [4, 4]],
  [[64, 32, 16], [4, 4]],
  [[64, 32, 16], [4, 4, 2]],
  [[64, 64, 16], [4, 4]],
  [[64, 64, 16], [8, 4]],
  [[64, 64, 16], [8, 8]],
  [[128, 64, 8], [8, 4]],
  [[128, 64, 8], [8, 8]],
  [[128, 128, 8], [8, 8]],
];

const gpu = await openWebGpu();
if (!gpu) {
  console.error("There is no WebGPU adapter to measure.");
  Deno.exit(2);
}
const isJson = Deno.args.includes("--json");
const names = Deno.args.filter((arg) => !arg.startsWith("--"));
const candidates = CANDIDATES.map((shape) => groupTile(...shape));
for (const item of KERNEL_CASES) {
  if (!item.flops || (names.length > 0 && !names.some((name) => item.name.includes(name)))) {
    continue;
  }
  const results: { what: string; ms: number }[] = [];
  const seen = new Set<string>();
  for (const tile of candidates) {
    for (const targetTiles of ENOUGH) {
      const groupTiles = { large: tile, largeProducts: Infinity, short: tile, usual: [tile] };
      const tuning = { ...GPU_TUNING, groupTiles, targetTiles };
      const engine = await createWebGpuEngine({ tuning });
      const fn = await engine.compileFunction(functionOf(item), inputSpecs(item)) as WebGpuFunction;
      const groups = fn.executable.workgroups[0].join("x");
      const what = `${textOf(tile)} in ${groups} workgroups`;
      if (!seen.has(what)) {
        seen.add(what);
        const ms = await passMilliseconds(
          gpu.device,
          (pass) => fn.executable.encodeDispatches(pass),
        );
        results.push({ what, ms });
        if (isJson) console.log(JSON.stringify({ case: item.name, ...tile, groups, ms }));
      }
      await engine.dispose();
    }
  }
  const engine = await createWebGpuEngine({ tuning: GPU_TUNING });
  const fn = await engine.compileFunction(functionOf(item), inputSpecs(item)) as WebGpuFunction;
  const chosen = await passMilliseconds(gpu.device, (pass) => fn.executable.encodeDispatches(pass));
  await engine.dispose();
  const [best] = results.toSorted((a, b) => a.ms - b.ms);
  console.log(
    `${item.name}: ${rate(item.flops, best.ms)} with ${best.what}; chosen: ` +
      rate(item.flops, chosen),
  );
}
Deno.exit(0);

function textOf({ rows, columns, depth, threadRows, threadColumns, slices }: GroupTile): string {
  return `${rows}x${columns}x${depth} (${threadRows}x${threadColumns}, ${slices} slices)`;
}

function rate(flops: number, ms: number): string {
  return `${(flops / ms / 1e6).toPrecision(3)} GFLOP/s (${ms.toFixed(4)} ms)`;
}

import { assert, assertEquals } from "@std/assert";
import { workgroupGemmCode } from "../../../src/engine/webgpu/kernels/gemm_workgroup.ts";
import { chooseSplits, GPU_TUNING, SOFTWARE_TUNING } from "../../../src/engine/webgpu/tuning.ts";

/** What every WebGPU device has, as the specification's table of limits says. */
const DEFAULT_LIMITS = { workgroupStorageBytes: 16384, invocations: 256, sizeX: 256, sizeY: 256 };

Deno.test("workgroupGemmCode() keeps to WebGPU's default limits with the tiles for GPUs", () => {
  const code = workgroupGemmCode({
    declarations: "",
    setup: "",
    sizes: { rows: "1u", columns: "1u", from: "0u", to: "1u" },
    a: "0.0",
    b: "0.0",
    store: "",
    aContiguousInTerms: false,
    bContiguousInTerms: false,
    tile: GPU_TUNING.groupTile,
  });
  const arrays = [...code.matchAll(/var<workgroup> \w+: array<vec4<f32>, (\d+)>/g)];
  assertEquals(arrays.length, 2);
  const bytes = arrays.reduce((sum, [, length]) => sum + 16 * Number(length), 0);
  assert(bytes <= DEFAULT_LIMITS.workgroupStorageBytes, `${bytes} bytes of workgroup memory`);
  const [, x, y] = code.match(/@workgroup_size\((\d+), (\d+)\)/)!.map(Number);
  assert(x <= DEFAULT_LIMITS.sizeX && y <= DEFAULT_LIMITS.sizeY);
  assert(x * y <= DEFAULT_LIMITS.invocations, `${x * y} threads`);
});

Deno.test("chooseSplits() splits a sum only while tiles are few and parts keep their depth", () => {
  for (const tuning of [SOFTWARE_TUNING, GPU_TUNING]) {
    const { enoughTiles, leastDepth } = tuning;
    assertEquals(chooseSplits(tuning, enoughTiles, 1 << 20), 1);
    assertEquals(chooseSplits(tuning, 1, 2 * leastDepth - 1), 1);
    assertEquals(chooseSplits(tuning, 1, 2 * leastDepth), 2);
    assertEquals(chooseSplits(tuning, enoughTiles / 4, 1 << 20), 4);
    assertEquals(chooseSplits(tuning, 1, 1 << 20), 64);
  }
});

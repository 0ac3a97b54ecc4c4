import { assert, assertEquals } from "@std/assert";
import { workgroupGemmCode } from "../../../src/engine/webgpu/kernels/gemm_workgroup.ts";
import { chooseSplits, GPU_TUNING, SOFTWARE_TUNING } from "../../../src/engine/webgpu/tuning.ts";

/** What every WebGPU device has, as the specification's table of limits says. */
const DEFAULT_LIMITS = { workgroupStorageBytes: 16384, invocations: 256 };

Deno.test("workgroupGemmCode() keeps to WebGPU's default limits with the tiles for GPUs", () => {
  const source = { fours: "none", row: "f", term: "f", value: "f" } as const;
  const { large, short, usual } = GPU_TUNING.groupTiles;
  for (const tile of [large, short, ...usual]) {
    const code = workgroupGemmCode({
      declarations: "",
      setup: "",
      sizes: { rows: "1u", columns: "1u", from: "0u", to: "1u" },
      a: source,
      b: source,
      store: { width: 1, statement: "" },
      tile,
    });
    const arrays = [...code.matchAll(/var<workgroup> \w+: array<vec4<f32>, (\d+)>/g)];
    assertEquals(arrays.length, 2);
    const bytes = arrays.reduce((sum, [, length]) => sum + 16 * Number(length), 0);
    const what = JSON.stringify(tile);
    assert(bytes <= DEFAULT_LIMITS.workgroupStorageBytes, `${what}: ${bytes} bytes`);
    const [, threads] = code.match(/@workgroup_size\((\d+)\)/)!.map(Number);
    assert(threads <= DEFAULT_LIMITS.invocations, `${what}: ${threads} threads`);
  }
});

Deno.test("chooseSplits() splits a sum only while tiles are few and parts keep their depth", () => {
  for (const tuning of [SOFTWARE_TUNING, GPU_TUNING]) {
    const { targetTiles, minDepth } = tuning;
    assertEquals(chooseSplits(tuning, targetTiles, 1 << 20), 1);
    assertEquals(chooseSplits(tuning, 1, 2 * minDepth - 1), 1);
    assertEquals(chooseSplits(tuning, 1, 2 * minDepth), 2);
    assertEquals(chooseSplits(tuning, targetTiles / 4, 1 << 20), 4);
    assertEquals(chooseSplits(tuning, 1, 1 << 20), 32);
  }
});

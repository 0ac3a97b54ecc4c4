import { assertThrows } from "@std/assert";
import { UserError } from "../../../src/errors.ts";
import { checkWorkgroups } from "../../../src/engine/webgpu/memory.ts";
import { test, withWebGpu } from "./helpers.ts";

test("checkWorkgroups() refuses a kernel with more workgroups than the device allows", () =>
  withWebGpu((gpu) => {
    const limit = gpu.device.limits.maxComputeWorkgroupsPerDimension;
    const check = (...workgroups: [number, number, number]) =>
      checkWorkgroups(gpu, [{
        kind: "dispatch",
        work: {
          label: "conv",
          pipeline: {} as GPUComputePipeline,
          reads: [],
          writes: [],
          workgroups,
        },
      }]);
    check(limit, 1, limit);
    assertThrows(
      () => check(1, limit + 1, 1),
      UserError,
      `the kernel conv needs ${limit + 1} workgroups along an axis, and ${limit} are allowed there`,
    );
    return Promise.resolve();
  }));

/** Says before anything is allocated whether a step fits the device, and whether its data do. */
import { UserError } from "../../errors.ts";
import { freeHostBytes, memoryText } from "../host_memory.ts";
import type { WebGpu } from "./device.ts";
import type { Operation } from "./graph.ts";
import type { StepPlan } from "./plan.ts";

/** What a step takes. */
export interface StepNeeds {
  /** Its buffers. */
  slots: Pick<StepPlan["slots"][number], "sizeBytes">[];
  /** Bytes of all of them, those included that it shares with its other kinds. */
  totalBytes: number;
}

/**
 * Checks a plan against the limits of the device and the memory that is there.
 * @param budgetBytes the most that the step may take; undefined where nobody knows
 * @throws UserError with the bytes needed and the bytes available
 */
export function checkGpuMemory(
  gpu: WebGpu,
  plan: StepNeeds,
  budgetBytes: number | undefined,
): void {
  const largest = plan.slots.reduce((max, { sizeBytes }) => Math.max(max, sizeBytes), 0);
  const { maxStorageBufferBindingSize, maxBufferSize } = gpu.device.limits;
  const limit = Math.min(maxStorageBufferBindingSize, maxBufferSize);
  if (largest > limit) {
    throw new UserError(
      `The training step does not fit ${gpu.description}: its largest tensor needs ` +
        `${memoryText(largest)}, and a tensor may have ${memoryText(limit)} there. ` +
        `Use a smaller batch or network, or --device cpu.`,
    );
  }
  if (budgetBytes !== undefined && plan.totalBytes > budgetBytes) {
    throw stepTooLarge(gpu, plan, budgetBytes);
  }
}

/**
 * Checks that no kernel has more workgroups along an axis than the device allows: a driver would refuse
 * it in its own words, and the step would go on without it.
 * @throws UserError that names the kernel
 */
export function checkWorkgroups(gpu: WebGpu, operations: Operation[]): void {
  const limit = gpu.device.limits.maxComputeWorkgroupsPerDimension;
  for (const operation of operations) {
    if (operation.kind !== "dispatch") continue; // others are spread over two axes
    const { label, workgroups } = operation.work;
    const largest = Math.max(...workgroups);
    if (largest <= limit) continue;
    throw new UserError(
      `The training step does not fit ${gpu.description}: the kernel ${label} needs ${largest} ` +
        `workgroups along an axis, and ${limit} are allowed there. Use a smaller batch or network, or ` +
        "--device cpu.",
    );
  }
}

/** Data may take this share of what the step leaves: without them a run only streams. */
const POOL_SHARE = 0.5;

/** Kernels count the values of a buffer in 32 bits. */
const MAX_INDEXED_BYTES = 2 ** 32 - 4;

/**
 * Whether a pool of samples may stay on the device.
 * @param sizes.largestBytes its largest buffer
 * @param sizes.totalBytes all of its buffers
 * @param spareBytes what the step leaves of its budget; undefined where nobody knows
 */
export function poolFits(
  limits: Pick<GPUSupportedLimits, "maxStorageBufferBindingSize" | "maxBufferSize">,
  sizes: { largestBytes: number; totalBytes: number },
  spareBytes: number | undefined,
): boolean {
  const { maxStorageBufferBindingSize, maxBufferSize } = limits;
  const limit = Math.min(maxStorageBufferBindingSize, maxBufferSize, MAX_INDEXED_BYTES);
  if (sizes.largestBytes > limit) return false;
  return spareBytes === undefined || sizes.totalBytes <= POOL_SHARE * spareBytes;
}

/** The error for a step that has more bytes than there are; nobody may know how many there are. */
export function stepTooLarge(gpu: WebGpu, plan: StepNeeds, budgetBytes?: number): UserError {
  const available = budgetBytes === undefined
    ? "more than is"
    : `and ${memoryText(budgetBytes)} are`;
  return new UserError(
    `The training step does not fit ${gpu.description}: it needs ${memoryText(plan.totalBytes)}, ` +
      `${available} available. Use a smaller batch or network.`,
  );
}

/**
 * The memory that a step may take. WebGPU does not tell a GPU's; a software adapter uses the
 * machine's.
 */
export function availableGpuBytes(gpu: WebGpu): number | undefined {
  return gpu.isSoftware ? freeHostBytes() : undefined;
}

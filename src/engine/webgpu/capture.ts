/** From a function of tensors to its work on the GPU: recorded, shortened, fused, given memory. */
import { UserError } from "../../errors.ts";
import type { StepRandom, TensorMap, TensorSpec } from "../../tensor/types.ts";
import type { GanforgeWebGpuBackend } from "./backend.ts";
import type { WebGpu } from "./device.ts";
import { StepExecutable } from "./executable.ts";
import { fuseElementwise } from "./fusion.ts";
import { findRecordingDifference, type StepGraph } from "./graph.ts";
import { checkGpuMemory, checkWorkgroups, stepTooLarge } from "./memory.ts";
import { dropUnusedWork, shareRepeatedWork } from "./passes.ts";
import { planStep } from "./plan.ts";
import { record, type RecordedResult } from "./recorder.ts";
import type { StepMemory } from "./step_memory.ts";
import type { KernelTuning } from "./tuning.ts";

/** Functions in one fused kernel at most. */
const MAX_FUSED_NODES = 96;
/** Storage buffers in one fused kernel at most, where the device allows as many. */
const MAX_FUSED_BINDINGS = 16;
/**
 * Work is done ahead of so much other work at most, to share a dispatch. From 50 to 150 the dispatches of
 * ring-2d fall from 150 to 128, those of cifar-dcgan from 190 to 183, and its memory grows by a tenth.
 */
const LOOKAHEAD = 150;

/** Where a function is captured, and how. */
export interface CaptureSetup {
  /** The device. */
  gpu: WebGpu;
  /** Its backend, which must be TensorFlow.js's current one. */
  backend: GanforgeWebGpuBackend;
  /** Sizes of tiles; the backend's own without it. */
  tuning: KernelTuning | undefined;
  /** Whether elementwise operations are joined into one kernel each. */
  fuse: boolean;
  /** Gives the buffers. Those that a former capture of the same externals made are used again. */
  memory: StepMemory;
  /** The most bytes that there are for them; undefined where nobody knows. */
  budgetBytes: number | undefined;
}

/** What is captured. */
export interface Capture {
  /** The tensors that come from outside, by name. */
  externals: Record<string, TensorSpec>;
  /** Gets them as tensors. */
  fn(tensors: TensorMap, random: StepRandom): RecordedResult;
}

/**
 * Records twice, compares, shortens, fuses, plans and allocates. Nothing is computed, so what lies in
 * the memory stays as it is.
 * @throws {UserError} when two runs differ, or it does not fit
 */
export async function capture(
  setup: CaptureSetup,
  { externals, fn }: Capture,
): Promise<StepExecutable> {
  const { backend, budgetBytes, gpu, memory } = setup;
  const before = backend.tuning;
  backend.tuning = setup.tuning ?? before;
  try {
    const graph = record(backend, externals, fn);
    const difference = findRecordingDifference(graph, record(backend, externals, fn));
    if (difference) {
      throw new UserError(
        `Cannot compile a step that is not a pure function: run twice, it differs: ${difference}; ` +
          "draw random numbers from the step's `random` and pass what changes as an input",
      );
    }
    const shortened = optimize(graph, setup);
    const plan = planStep(shortened, { sideBySide: backend.tuning.maxMembers > 1 });
    const needs = { slots: plan.slots, totalBytes: memory.bytesWith(plan) };
    checkGpuMemory(gpu, needs, budgetBytes);
    checkWorkgroups(gpu, shortened.operations);
    gpu.device.pushErrorScope("out-of-memory");
    let made: { executable: StepExecutable } | { error: unknown };
    try {
      made = { executable: new StepExecutable(backend, shortened, { plan, memory }) };
    } catch (error) {
      made = { error }; // maybe only because a buffer has no memory
    }
    if (await gpu.device.popErrorScope()) throw stepTooLarge(gpu, needs);
    if ("error" in made) throw made.error;
    return made.executable;
  } finally {
    backend.tuning = before;
  }
}

function optimize(graph: StepGraph, { fuse, gpu, backend }: CaptureSetup): StepGraph {
  const shortened = dropUnusedWork(shareRepeatedWork(graph));
  if (!fuse) return shortened;
  const { maxStorageBuffersPerShaderStage } = gpu.device.limits;
  return fuseElementwise(shortened, {
    bindings: Math.min(MAX_FUSED_BINDINGS, maxStorageBuffersPerShaderStage),
    nodes: MAX_FUSED_NODES,
    lookahead: backend.tuning.maxMembers > 1 ? LOOKAHEAD : 0,
  });
}

/**
 * The operations of a planned step as dispatches on real buffers. Starting a dispatch takes a GPU
 * longer than most elementwise work, so what can run at the same time is started together.
 */
import type { GanforgeWebGpuBackend } from "./backend.ts";
import { elementwiseMember } from "./elementwise.ts";
import { bindingCount } from "./expression_code.ts";
import { type ProgramContext, programDispatch } from "./expression_program.ts";
import { mapBuffers, type Operation, readsOf, writesOf } from "./graph.ts";
import type { StepPlan } from "./plan.ts";
import { reductionMember } from "./reduction.ts";
import type { BufferRange } from "./step_memory.ts";
import type { Dispatch } from "./work.ts";

/** Storage buffers of one dispatch at most, where the device allows as many. */
const MAX_BINDINGS = 64;
/** Operands and functions of one dispatch at most: each may take a few values of the uniform block. */
const MAX_TERMS = 256;

/** A dispatch, and how many bytes of each buffer it sees: a shared one may be longer than the value. */
export interface SizedDispatch extends Dispatch {
  /** By buffer. */
  sizeOf: Map<GPUBuffer, number>;
}

/**
 * The dispatches of a plan, on real buffers. Elementwise work and reductions in a row that do not touch
 * each other's results become one.
 */
export function dispatchesOf(
  backend: GanforgeWebGpuBackend,
  plan: StepPlan,
  rangeOf: (standIn: GPUBuffer) => BufferRange,
): SizedDispatch[] {
  const dispatches: SizedDispatch[] = [];
  let run = new Run(backend);
  const endRun = () => {
    const dispatch = run.dispatch();
    if (dispatch) dispatches.push(dispatch);
    run = new Run(backend);
  };
  plan.operations.forEach((operation, i) => {
    const standIns = [...readsOf(operation), ...writesOf(operation)];
    const ranges = standIns.map(rangeOf);
    const sizeOf = new Map(ranges.map(({ buffer, sizeBytes }) => [buffer, sizeBytes] as const));
    const moved = mapBuffers(operation, (standIn) => rangeOf(standIn).buffer);
    if (moved.kind === "dispatch") {
      endRun();
      dispatches.push({ ...moved.work, sizeOf });
      return;
    }
    const member = { operation: moved, inPlace: plan.inPlace.get(i), sizeOf };
    if (run.add(member)) return;
    endRun();
    run.add(member);
  });
  endRun();
  return dispatches;
}

/** An operation on real buffers. */
interface RunMember {
  operation: Exclude<Operation, { kind: "dispatch" }>;
  inPlace: Map<number, number> | undefined;
  sizeOf: Map<GPUBuffer, number>;
}

/** Operations that may run at the same time. */
class Run {
  readonly #backend: GanforgeWebGpuBackend;
  readonly #members: RunMember[] = [];
  readonly #sizeOf = new Map<GPUBuffer, number>();
  readonly #read = new Set<GPUBuffer>();
  readonly #written = new Set<GPUBuffer>();
  #bindings = 0;
  #terms = 0;

  constructor(backend: GanforgeWebGpuBackend) {
    this.#backend = backend;
  }

  /** Takes one more, unless it needs a result of the others, or they what it overwrites. */
  add(member: RunMember): boolean {
    const { tuning, device } = this.#backend;
    const reads = readsOf(member.operation);
    const writes = writesOf(member.operation);
    const { work } = member.operation;
    const inPlace = member.inPlace?.size ?? 0; // such an output shares its operand's binding
    const bindings = this.#bindings + bindingCount(work) + writes.length - inPlace;
    const terms = this.#terms + work.operands.length + work.nodes.length;
    if (this.#members.length > 0) {
      const { maxStorageBuffersPerShaderStage } = device.limits;
      const isFull = this.#members.length === tuning.maxMembers ||
        bindings > Math.min(MAX_BINDINGS, maxStorageBuffersPerShaderStage) || terms > MAX_TERMS;
      const depends = reads.some((buffer) => this.#written.has(buffer)) ||
        writes.some((buffer) => this.#read.has(buffer) || this.#written.has(buffer));
      if (isFull || depends) return false;
    }
    this.#members.push(member);
    this.#bindings = bindings;
    this.#terms = terms;
    for (const [buffer, size] of member.sizeOf) {
      this.#sizeOf.set(buffer, Math.max(size, this.#sizeOf.get(buffer) ?? 0));
    }
    reads.forEach((buffer) => this.#read.add(buffer));
    writes.forEach((buffer) => this.#written.add(buffer));
    return true;
  }

  /** All of them as one dispatch; undefined where there are none. */
  dispatch(): SizedDispatch | undefined {
    if (this.#members.length === 0) return undefined;
    const makers = this.#members.map(({ operation, inPlace }) => (context: ProgramContext) =>
      operation.kind === "reduction"
        ? reductionMember(this.#backend, operation.work, context)
        : elementwiseMember(this.#backend, { work: operation.work, inPlace }, context)
    );
    return { ...programDispatch(this.#backend, makers), sizeOf: this.#sizeOf };
  }
}

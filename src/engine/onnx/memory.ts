/** Says before a session is opened whether a step fits into the memory that ONNX Runtime can get. */
import { elementCount } from "../../bytes.ts";
import { UserError } from "../../errors.ts";
import type { KernelGraph, KernelNode, KernelValue } from "../../graph/trace/kernel_graph.ts";
import { freeHostBytes, memoryText } from "../host_memory.ts";
import type { OnnxRuntime } from "../../ort/runtime.ts";

/** The bytes that WebAssembly can address. */
const WASM_BYTES = 2 ** 32;

/** Kernels whose result is their input under another shape or in another layout, or is read by broadcast. */
const VIEWS = new Set(["Reshape", "Identity", "Transpose", "Tile"]);

/**
 * The bytes of a step's tensors at its fullest moment, counted from below: each result takes the place of
 * an input of its size that nothing reads any more, and what a runtime needs besides is not counted.
 */
export function minStepBytes({ inputs, nodes, outputs }: KernelGraph): number {
  const lastUse = new Map<KernelValue, number>();
  nodes.forEach((node, i) => {
    for (const value of Object.values(node.inputs)) lastUse.set(storage(value), i);
  });
  // Inputs are the caller's, and outputs are handed out: both last.
  const lasting = new Set([...inputs, ...outputs].map(({ value }) => storage(value)));
  for (const node of nodes) {
    for (const value of Object.values(node.inputs)) {
      if (value.source.kind === "constant") lasting.add(value);
    }
  }
  let bytes = [...lasting].reduce((sum, value) => sum + bytesOf(value), 0);
  let peak = bytes;
  nodes.forEach((node, i) => {
    const made = node.outputs.filter((value) => storage(value) === value && !lasting.has(value));
    const ending = [...new Set(Object.values(node.inputs).map(storage))].filter((value) =>
      lastUse.get(value) === i && !lasting.has(value) && value.source.kind === "kernel"
    );
    const freed = ending.reduce((sum, value) => sum + bytesOf(value), 0);
    const added = made.reduce((sum, value) => sum + bytesOf(value), 0);
    const reused = canReuse(node) ? Math.min(freed, added) : 0;
    peak = Math.max(peak, bytes + added - reused);
    bytes += added - freed;
    for (const value of made) if (!lastUse.has(value)) bytes -= bytesOf(value);
  });
  return peak;
}

/** The value whose memory a value is in. */
function storage(value: KernelValue): KernelValue {
  const { source } = value;
  if (source.kind !== "kernel" || !VIEWS.has(source.node.kernel)) return value;
  return storage(source.node.inputs.x ?? Object.values(source.node.inputs)[0]);
}

/** True where a result may take the place of an input. */
function canReuse({ inputs, outputs: [output] }: KernelNode): boolean {
  return Object.values(inputs).some((value) =>
    elementCount(value.shape) === elementCount(output.shape)
  );
}

function bytesOf({ dtype, shape, source }: KernelValue): number {
  if (source.kind === "fill") return 0;
  return elementCount(shape) * (dtype === "bool" ? 1 : 4);
}

/**
 * The memory that a runtime can get: WebAssembly's, or less where the machine has less left. Undefined
 * where nobody knows.
 */
export function availableRuntimeBytes({ kind }: OnnxRuntime): number | undefined {
  const free = freeHostBytes();
  if (kind === "node") return free;
  return Math.min(WASM_BYTES, free ?? WASM_BYTES);
}

/**
 * Checks what a step needs against the memory that there is.
 * @throws {UserError} with the bytes needed and the bytes available
 */
export function checkRuntimeMemory(
  runtime: OnnxRuntime,
  { minBytes, availableBytes }: { minBytes: number; availableBytes: number | undefined },
): void {
  if (availableBytes === undefined || minBytes <= availableBytes) return;
  throw new UserError(
    `The training step does not fit ${runtime.description}: it needs at least ` +
      `${memoryText(minBytes)}, and ${memoryText(availableBytes)} are available. Use a smaller ` +
      "batch or network.",
  );
}

/**
 * Weights beside the file: a protobuf message ends at 2 GiB, so larger weights go into a second file, to
 * which the tensors point (https://github.com/onnx/onnx/blob/main/docs/ExternalData.md).
 */
import type { OnnxGraph, OnnxTensor } from "./onnx_graph.ts";

/** The second file. */
export interface ExternalData {
  /** Its name, in the folder of the ONNX file. */
  location: string;
  /** What it holds, in order. Views of the weights: nothing is copied. */
  parts: Uint8Array[];
  /** How long it is. */
  sizeBytes: number;
}

/** Offsets are multiples of this, so that runtimes can map the file into memory. */
const ALIGNMENT = 4096;

/** Smaller tensors stay in the ONNX file: shape inference reads them. */
const MIN_BYTES = 1024;

/** Moves the weights of a graph out of it. */
export function moveWeightsOut(
  graph: OnnxGraph,
  location: string,
): { graph: OnnxGraph; data: ExternalData } {
  const parts: Uint8Array[] = [];
  let offset = 0;
  const initializers = graph.initializers.map((tensor): OnnxTensor => {
    const bytes = bytesOf(tensor);
    if (bytes.length < MIN_BYTES) return tensor;
    const gap = (ALIGNMENT - offset % ALIGNMENT) % ALIGNMENT;
    if (gap > 0) parts.push(new Uint8Array(gap));
    offset += gap;
    parts.push(bytes);
    const external = { location, offset, length: bytes.length };
    offset += bytes.length;
    return { ...tensor, data: new Uint8Array(), external };
  });
  return { graph: { ...graph, initializers }, data: { location, parts, sizeBytes: offset } };
}

/** The bytes of a constant. */
export function bytesOf({ data }: OnnxTensor): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

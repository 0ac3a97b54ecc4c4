/**
 * ONNX as typed data: what protobuf.ts writes and protobuf_reader.ts reads. Only the parts of
 * onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto) that this project uses.
 */

/** Element types, with their numbers in TensorProto.DataType. */
export const DATA_TYPES = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
} as const;

/** The name of an element type. */
export type OnnxType = keyof typeof DATA_TYPES;

/** A dimension: a number, a name such as `"N"` for one that is known only at run time, null for any. */
export type OnnxDim = number | string | null;

/** A constant. `data` holds the elements, little-endian, row-major. */
export interface OnnxTensor {
  /** What nodes call it. */
  name: string;
  /** The type of an element. */
  dtype: OnnxType;
  /** The shape. */
  dims: number[];
  /** The elements, as many bytes as shape and type ask for. */
  data: ArrayBufferView;
  /** Where the elements lie in another file; `data` is empty then. */
  external?: { location: string; offset: number; length: number };
}

/** The name, type and shape of an input, an output or a value in between. */
export interface OnnxValueInfo {
  /** What nodes call it. */
  name: string;
  /** The type of an element. */
  dtype: OnnxType;
  /** Without it the rank is unknown. */
  dims?: OnnxDim[];
}

/** An attribute. A bare number is an integer; floats are wrapped, so that the two cannot be confused. */
export type OnnxAttribute =
  | number
  | string
  | number[]
  | { float: number }
  | { tensor: OnnxTensor }
  | { graph: OnnxGraph };

/** One operation. */
export interface OnnxNode {
  /** The operator's name, such as `"Conv"`. */
  op: string;
  /** An empty name leaves an optional input out. */
  inputs: string[];
  /** Names that no other node gives. */
  outputs: string[];
  /** By name. */
  attributes?: Record<string, OnnxAttribute>;
  /** The node's own name, for people. */
  name?: string;
  /** Empty for the standard operators. */
  domain?: string;
}

/** A graph. Nodes are in topological order. */
export interface OnnxGraph {
  /** For people. */
  name: string;
  /** In an order in which they can run. */
  nodes: OnnxNode[];
  /** What is given at each run. */
  inputs: OnnxValueInfo[];
  /** What a run gives. */
  outputs: OnnxValueInfo[];
  /** Constants. */
  initializers: OnnxTensor[];
  /** Shapes of the values in between. */
  values?: OnnxValueInfo[];
}

/** A file. */
export interface OnnxModel {
  /** What is computed. */
  graph: OnnxGraph;
  /** The version of the standard operators. */
  opset: number;
  /** The version of the file format. */
  irVersion: number;
  /** The program that wrote the file. */
  producer: string;
  /** And its version. */
  producerVersion: string;
  /** Further operator sets by domain. */
  domains?: Record<string, number>;
  /** Free text by key. */
  metadata?: Record<string, string>;
}

/**
 * The IR version that belongs to an operator set: the first one whose runtimes know that set
 * (https://github.com/onnx/onnx/blob/main/docs/Versioning.md), but at least 7 and, up to opset 18, 8.
 * @throws {RangeError} for a version outside 13 ... 21
 */
export function irVersionFor(opset: number): number {
  if (!Number.isInteger(opset) || opset < 13 || opset > 21) {
    throw new RangeError(`Cannot write opset ${opset}: 13 to 21 are supported, 17 is the default`);
  }
  if (opset < 15) return 7;
  if (opset < 19) return 8;
  return opset < 21 ? 9 : 10;
}

/**
 * ONNX bytes to the typed model of graph.ts, for the tests: what this project
 * writes, and enough of other writers' files to look at inputs, outputs, nodes and metadata. Tensors
 * must carry `raw_data`, as ours do.
 */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import {
  DATA_TYPES,
  type OnnxAttribute,
  type OnnxDim,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxType,
  type OnnxValueInfo,
} from "../../src/graph/onnx_graph.ts";

const TYPE_NAMES = new Map<number, OnnxType>(
  Object.entries(DATA_TYPES).map(([name, number]) => [number, name as OnnxType]),
);

/**
 * Reads a model (ModelProto).
 * @throws {SyntaxError} when the bytes are not an ONNX model
 */
export function decodeModel(bytes: Uint8Array): OnnxModel {
  const model: OnnxModel = {
    graph: emptyGraph(),
    opset: 0,
    irVersion: 0,
    producer: "",
    producerVersion: "",
    domains: {},
    metadata: {},
  };
  try {
    readFields(bytes, {
      1: (reader) => model.irVersion = Number(reader.int64()),
      2: (reader) => model.producer = reader.string(),
      3: (reader) => model.producerVersion = reader.string(),
      7: (reader) => model.graph = readGraph(reader.bytes()),
      8: (reader) => {
        const [domain, version] = readOpset(reader.bytes());
        if (domain === "" || domain === "ai.onnx") model.opset = version;
        else model.domains![domain] = version;
      },
      14: (reader) => {
        const [key, value] = readEntry(reader.bytes());
        model.metadata![key] = value;
      },
    });
  } catch (cause) {
    throw new SyntaxError(`Cannot read an ONNX model of ${bytes.length} bytes: ${cause}`, {
      cause,
    });
  }
  if (model.irVersion === 0 || model.opset === 0) {
    throw new SyntaxError(
      `Cannot read an ONNX model of ${bytes.length} bytes: it names no IR version or operator set`,
    );
  }
  return model;
}

type FieldReaders = Record<number, (reader: BinaryReader, wireType: WireType) => unknown>;

/** Calls the reader of each field that has one; skips the others. */
function readFields(bytes: Uint8Array, fields: FieldReaders): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    const read = fields[field];
    if (read) read(reader, wireType);
    else reader.skip(wireType, field);
  }
}

/** Integers of a repeated field, packed (proto3's default) or one by one (as ONNX writers do). */
function readIntegers(into: number[]): (reader: BinaryReader, wireType: WireType) => void {
  return (reader, wireType) => {
    const end = wireType === WireType.LengthDelimited
      ? reader.uint32() + reader.pos
      : reader.pos + 1;
    while (reader.pos < end) into.push(Number(reader.int64()));
  };
}

function emptyGraph(): OnnxGraph {
  return { name: "", nodes: [], inputs: [], outputs: [], initializers: [], values: [] };
}

function readGraph(bytes: Uint8Array): OnnxGraph {
  const graph = emptyGraph();
  readFields(bytes, {
    1: (reader) => graph.nodes.push(readNode(reader.bytes())),
    2: (reader) => graph.name = reader.string(),
    5: (reader) => graph.initializers.push(readTensor(reader.bytes())),
    11: (reader) => graph.inputs.push(readValueInfo(reader.bytes())),
    12: (reader) => graph.outputs.push(readValueInfo(reader.bytes())),
    13: (reader) => graph.values!.push(readValueInfo(reader.bytes())),
  });
  return graph;
}

function readNode(bytes: Uint8Array): OnnxNode {
  const attributes: Record<string, OnnxAttribute> = {};
  const node: OnnxNode = { op: "", inputs: [], outputs: [], attributes };
  readFields(bytes, {
    1: (reader) => node.inputs.push(reader.string()),
    2: (reader) => node.outputs.push(reader.string()),
    3: (reader) => node.name = reader.string(),
    4: (reader) => node.op = reader.string(),
    5: (reader) => {
      const [name, attribute] = readAttribute(reader.bytes());
      attributes[name] = attribute;
    },
    7: (reader) => node.domain = reader.string(),
  });
  return node;
}

function readAttribute(bytes: Uint8Array): [string, OnnxAttribute] {
  let name = "";
  let attribute: OnnxAttribute | undefined;
  const integers: number[] = [];
  readFields(bytes, {
    1: (reader) => name = reader.string(),
    2: (reader) => attribute = { float: reader.float() },
    3: (reader) => attribute = Number(reader.int64()),
    4: (reader) => attribute = reader.string(),
    5: (reader) => attribute = { tensor: readTensor(reader.bytes()) },
    6: (reader) => attribute = { graph: readGraph(reader.bytes()) },
    8: readIntegers(integers),
  });
  return [name, attribute ?? integers];
}

function readTensor(bytes: Uint8Array): OnnxTensor {
  const dims: number[] = [];
  const place = new Map<string, string>();
  const tensor: OnnxTensor = { name: "", dtype: "float32", dims, data: new Uint8Array() };
  readFields(bytes, {
    1: readIntegers(dims),
    2: (reader) => tensor.dtype = typeName(reader.int32()),
    8: (reader) => tensor.name = reader.string(),
    9: (reader) => tensor.data = reader.bytes().slice(),
    13: (reader) => {
      const [key, value] = readEntry(reader.bytes());
      place.set(key, value);
    },
  });
  const location = place.get("location");
  if (location !== undefined) {
    const [offset, length] = ["offset", "length"].map((key) => Number(place.get(key) ?? 0));
    tensor.external = { location, offset, length };
  }
  return tensor;
}

function readValueInfo(bytes: Uint8Array): OnnxValueInfo {
  const value: OnnxValueInfo = { name: "", dtype: "float32" };
  readFields(bytes, {
    1: (reader) => value.name = reader.string(),
    2: (reader) =>
      readFields(reader.bytes(), {
        1: (inner) =>
          readFields(inner.bytes(), {
            1: (type) => value.dtype = typeName(type.int32()),
            2: (shape) => value.dims = readDims(shape.bytes()),
          }),
      }),
  });
  return value;
}

function readDims(bytes: Uint8Array): OnnxDim[] {
  const dims: OnnxDim[] = [];
  readFields(bytes, {
    1: (reader) => {
      let dim: OnnxDim = null;
      readFields(reader.bytes(), {
        1: (inner) => dim = Number(inner.int64()),
        2: (inner) => dim = inner.string(),
      });
      dims.push(dim);
    },
  });
  return dims;
}

function readOpset(bytes: Uint8Array): [string, number] {
  let domain = "";
  let version = 0;
  readFields(bytes, {
    1: (reader) => domain = reader.string(),
    2: (reader) => version = Number(reader.int64()),
  });
  return [domain, version];
}

function readEntry(bytes: Uint8Array): [string, string] {
  let key = "";
  let value = "";
  readFields(bytes, {
    1: (reader) => key = reader.string(),
    2: (reader) => value = reader.string(),
  });
  return [key, value];
}

function typeName(number: number): OnnxType {
  const name = TYPE_NAMES.get(number);
  if (name === undefined) throw new TypeError(`element type ${number} is not supported`);
  return name;
}

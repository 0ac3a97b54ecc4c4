/**
 * Typed ONNX to bytes. Fields are written in the order of their numbers and nothing depends on time or
 * on hash order, so the same model always gives the same bytes. Numbers of fields: onnx.proto.
 */
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import {
  DATA_TYPES,
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValueInfo,
} from "./onnx_graph.ts";

const VARINT = 0;
const LENGTH = 2;
const FIXED32 = 5;

/** TensorProto.DataLocation. */
const EXTERNAL = 1;

/** AttributeProto.AttributeType. */
const ATTRIBUTE_TYPES = { float: 1, int: 2, string: 3, tensor: 4, graph: 5, ints: 7 } as const;

/**
 * Writes a model (ModelProto).
 * @throws {RangeError} when the weights pass 2 GiB, which protobuf cannot hold
 */
export function encodeModel(model: OnnxModel): Uint8Array<ArrayBuffer> {
  const weightBytes = model.graph.initializers.reduce((sum, t) => sum + t.data.byteLength, 0);
  if (weightBytes >= 2 ** 31) {
    throw new RangeError(
      `Cannot write ${weightBytes} bytes of weights into one ONNX file: protobuf ends at 2 GiB`,
    );
  }
  const writer = new BinaryWriter();
  writer.tag(1, VARINT).int64(model.irVersion);
  writeString(writer, 2, model.producer);
  writeString(writer, 3, model.producerVersion);
  writeMessage(writer, 7, () => writeGraph(writer, model.graph));
  const domains = [["", model.opset] as const, ...Object.entries(model.domains ?? {})];
  for (const [domain, version] of domains) {
    writeMessage(writer, 8, () => {
      writeString(writer, 1, domain);
      writer.tag(2, VARINT).int64(version);
    });
  }
  for (const [key, value] of Object.entries(model.metadata ?? {})) {
    writeMessage(writer, 14, () => {
      writeString(writer, 1, key);
      writeString(writer, 2, value);
    });
  }
  return writer.finish() as Uint8Array<ArrayBuffer>;
}

function writeGraph(writer: BinaryWriter, graph: OnnxGraph): void {
  for (const node of graph.nodes) writeMessage(writer, 1, () => writeNode(writer, node));
  writeString(writer, 2, graph.name);
  for (const tensor of graph.initializers) {
    writeMessage(writer, 5, () => writeTensor(writer, tensor));
  }
  for (const value of graph.inputs) writeMessage(writer, 11, () => writeValueInfo(writer, value));
  for (const value of graph.outputs) writeMessage(writer, 12, () => writeValueInfo(writer, value));
  for (const value of graph.values ?? []) {
    writeMessage(writer, 13, () => writeValueInfo(writer, value));
  }
}

function writeNode(writer: BinaryWriter, node: OnnxNode): void {
  for (const input of node.inputs) writer.tag(1, LENGTH).string(input);
  for (const output of node.outputs) writer.tag(2, LENGTH).string(output);
  writeString(writer, 3, node.name);
  writeString(writer, 4, node.op);
  for (const [name, attribute] of Object.entries(node.attributes ?? {})) {
    writeMessage(writer, 5, () => writeAttribute(writer, name, attribute));
  }
  writeString(writer, 7, node.domain);
}

function writeAttribute(writer: BinaryWriter, name: string, attribute: OnnxAttribute): void {
  writeString(writer, 1, name);
  let type: number;
  if (typeof attribute === "number") {
    if (!Number.isInteger(attribute)) {
      throw new TypeError(
        `Cannot write attribute ${name} = ${attribute}: wrap floats as { float }`,
      );
    }
    writer.tag(3, VARINT).int64(attribute);
    type = ATTRIBUTE_TYPES.int;
  } else if (typeof attribute === "string") {
    writer.tag(4, LENGTH).string(attribute);
    type = ATTRIBUTE_TYPES.string;
  } else if (Array.isArray(attribute)) {
    for (const item of attribute) writer.tag(8, VARINT).int64(item);
    type = ATTRIBUTE_TYPES.ints;
  } else if ("float" in attribute) {
    writer.tag(2, FIXED32).float(attribute.float);
    type = ATTRIBUTE_TYPES.float;
  } else if ("tensor" in attribute) {
    writeMessage(writer, 5, () => writeTensor(writer, attribute.tensor));
    type = ATTRIBUTE_TYPES.tensor;
  } else {
    writeMessage(writer, 6, () => writeGraph(writer, attribute.graph));
    type = ATTRIBUTE_TYPES.graph;
  }
  writer.tag(20, VARINT).int32(type);
}

function writeTensor(writer: BinaryWriter, tensor: OnnxTensor): void {
  for (const dim of tensor.dims) writer.tag(1, VARINT).int64(dim);
  writer.tag(2, VARINT).int32(DATA_TYPES[tensor.dtype]);
  writeString(writer, 8, tensor.name);
  if (tensor.external !== undefined) {
    for (const [key, value] of Object.entries(tensor.external)) {
      writeMessage(writer, 13, () => {
        writeString(writer, 1, key);
        writeString(writer, 2, String(value));
      });
    }
    writer.tag(14, VARINT).int32(EXTERNAL);
    return;
  }
  const { buffer, byteOffset, byteLength } = tensor.data;
  writer.tag(9, LENGTH).bytes(new Uint8Array(buffer, byteOffset, byteLength));
}

function writeValueInfo(writer: BinaryWriter, value: OnnxValueInfo): void {
  writeString(writer, 1, value.name);
  writeMessage(writer, 2, () =>
    writeMessage(writer, 1, () => {
      writer.tag(1, VARINT).int32(DATA_TYPES[value.dtype]);
      const { dims } = value;
      if (dims !== undefined) {
        writeMessage(writer, 2, () => {
          for (const dim of dims) {
            writeMessage(writer, 1, () => {
              if (typeof dim === "number") writer.tag(1, VARINT).int64(dim);
              else writeString(writer, 2, dim ?? undefined); // none: any length
            });
          }
        });
      }
    }));
}

function writeMessage(writer: BinaryWriter, field: number, write: () => void): void {
  writer.tag(field, LENGTH).fork();
  write();
  writer.join();
}

/** Writes a string; proto3 leaves empty ones out. */
function writeString(writer: BinaryWriter, field: number, text: string | undefined): void {
  if (text !== undefined && text !== "") writer.tag(field, LENGTH).string(text);
}

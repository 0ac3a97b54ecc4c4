/**
 * Reads what the sampler must know of an ONNX file before a runtime sees it: inputs, outputs, metadata
 * (field numbers from onnx.proto). A runtime says only "protobuf parsing failed" about a file that is
 * no model; this reader says what the file is, or where it ends too early.
 */
import { UserError } from "../errors.ts";
import { FileFault, Reader } from "./protobuf_reader.ts";

/** One input or output of a graph. */
export interface TensorInfo {
  name: string;
  /** The element type's number in onnx.proto (1 float32, 2 uint8, 7 int64, ...), 0 when unknown. */
  elementType: number;
  /** Each dimension's size, or null where it is dynamic; null when the file does not tell the rank. */
  shape: (number | null)[] | null;
}

/** The head of an ONNX file. */
export interface ModelFile {
  irVersion: number;
  producer: string;
  /** The version of the default operator set. */
  opset: number;
  /** Inputs that have no initializer: those that must be fed. */
  inputs: TensorInfo[];
  outputs: TensorInfo[];
  metadata: Map<string, string>;
  /**
   * Files beside this one that hold weights ("external data"), as paths from its folder, each with the
   * bytes that it has at least.
   */
  weightFiles: Map<string, number>;
  /** Operators that make a sample depend on more than its latent, in words. */
  unsteady: Set<string>;
}

const TYPE_NAMES: Record<number, string> = {
  0: "unknown",
  1: "float32",
  2: "uint8",
  3: "int8",
  6: "int32",
  7: "int64",
  8: "string",
  9: "bool",
  10: "float16",
  11: "float64",
  16: "bfloat16",
};

/** Such as `"latent" (float32 [N, 100])`. */
export function describeTensor({ name, elementType, shape }: TensorInfo): string {
  const type = TYPE_NAMES[elementType] ?? `type ${elementType}`;
  const sizes = shape?.map((size, axis) => size ?? (axis === 0 ? "N" : "?")).join(", ");
  return `"${name}" (${type} ${sizes === undefined ? "of unknown shape" : `[${sizes}]`})`;
}

/** See {@linkcode describeTensor}. */
export function describeTensors(tensors: TensorInfo[]): string {
  return tensors.length === 0 ? "nothing" : tensors.map(describeTensor).join(", ");
}

/**
 * Reads the head of an ONNX file.
 * @param name how messages call the file
 * @throws {UserError} saying what the bytes are when they are not an ONNX model, or that they are cut
 * off, or that its weights lie outside of its folder
 */
export function readModelFile(bytes: Uint8Array, name: string): ModelFile {
  const other = recognize(bytes);
  if (other !== null) throw new UserError(`Cannot load ${name}: ${other}`);
  try {
    return readModel(new Reader(bytes));
  } catch (error) {
    if (!(error instanceof FileFault)) throw error;
    throw new UserError(`Cannot load ${name}: ${error.message}`, { cause: error });
  }
}

/** What a file is that starts as a well-known kind other than ONNX, in words. */
function recognize(bytes: Uint8Array): string | null {
  const size = `${bytes.length} bytes`;
  if (bytes.length === 0) return "it is empty (0 bytes); expected an ONNX model";
  const start = String.fromCharCode(...bytes.subarray(0, 200)).replace(/^\xef\xbb\xbf/, "");
  if (/^\s*<(!doctype|html|head|body|script|\?xml|!--)/i.test(start)) {
    return `it is a web page (HTML, ${size}), not an ONNX model; check the address, and that the ` +
      "server sends the file itself rather than an error or login page";
  }
  if (start.startsWith("version https://git-lfs")) {
    return `it is a Git LFS pointer (${size}), not the ONNX model itself; run "git lfs pull"`;
  }
  const kinds: [string, string][] = [
    ["PK\x03\x04", "a zip archive, perhaps a PyTorch checkpoint; export the model to ONNX"],
    ["\x1f\x8b", "gzip data; unpack it first"],
    ["\x89HDF", "an HDF5 file, perhaps Keras weights; export the model to ONNX"],
    ["\x80\x02", "a Python pickle, perhaps a PyTorch checkpoint; export the model to ONNX"],
    ["\x89PNG", "a PNG image"],
    ["{", "JSON text"],
    ["[", "JSON text"],
  ];
  const kind = kinds.find(([magic]) => start.trimStart().startsWith(magic));
  const found = kind?.[1] ?? (/^[\t\n\r\x20-\x7e]+$/.test(start) ? "text" : null);
  return found === null ? null : `it is not an ONNX model (${size}) but ${found}`;
}

function readModel(reader: Reader): ModelFile {
  const model: ModelFile = {
    irVersion: 0,
    producer: "",
    opset: 0,
    inputs: [],
    outputs: [],
    metadata: new Map(),
    weightFiles: new Map(),
    unsteady: new Set(),
  };
  let hasGraph = false;
  while (reader.next()) {
    if (reader.field === 1) model.irVersion = reader.integer();
    else if (reader.field === 2) model.producer = reader.text();
    else if (reader.field === 7) {
      hasGraph = true;
      readGraph(reader.message("the graph"), model);
    } else if (reader.field === 8) readOpset(reader.message("an operator set"), model);
    else if (reader.field === 14) {
      const { key, value } = readEntry(reader.message("a metadata entry"));
      model.metadata.set(key, value);
    } else reader.skip();
  }
  if (model.irVersion < 1 || model.irVersion > 1000 || !hasGraph) {
    throw new FileFault(
      `it is not an ONNX model: its ${reader.size} bytes hold no ${
        hasGraph ? "format version" : "graph"
      }`,
    );
  }
  return model;
}

function readOpset(reader: Reader, model: ModelFile): void {
  let domain = "", version = 0;
  while (reader.next()) {
    if (reader.field === 1) domain = reader.text();
    else if (reader.field === 2) version = reader.integer();
    else reader.skip();
  }
  if (domain === "" || domain === "ai.onnx") model.opset = version;
}

function readGraph(reader: Reader, model: ModelFile): void {
  const initialized = new Set<string>();
  const inputs: TensorInfo[] = [];
  while (reader.next()) {
    if (reader.field === 1) readNode(reader.message("a node"), model);
    else if (reader.field === 5) {
      initialized.add(readInitializer(reader.message("a weight"), model));
    } else if (reader.field === 11) inputs.push(readValue(reader.message("an input")));
    else if (reader.field === 12) model.outputs.push(readValue(reader.message("an output")));
    else reader.skip();
  }
  model.inputs = inputs.filter(({ name }) => !initialized.has(name));
}

/** Operators that draw random numbers of their own. */
const RANDOM = /^(Random(Normal|Uniform)(Like)?|Multinomial|Bernoulli)$/;

/** Notes a node that makes samples unsteady. */
function readNode(reader: Reader, model: ModelFile): void {
  let operator = "", isTraining = false;
  while (reader.next()) {
    if (reader.field === 4) operator = reader.text();
    else if (reader.field === 5) {
      const { name, integer } = readAttribute(reader.message("an attribute"));
      if (name === "training_mode" && integer !== 0) isTraining = true;
    } else reader.skip();
  }
  if (RANDOM.test(operator)) {
    model.unsteady.add(
      `it draws random numbers of its own (${operator}): a seed gives other samples each time`,
    );
  }
  if (isTraining) {
    model.unsteady.add(
      `its ${operator} is in training mode: a sample depends on the others of its batch`,
    );
  }
}

/** The name and the integer of an AttributeProto. */
function readAttribute(reader: Reader): { name: string; integer: number } {
  let name = "", integer = 0;
  while (reader.next()) {
    if (reader.field === 1) name = reader.text();
    else if (reader.field === 3) integer = reader.integer();
    else reader.skip();
  }
  return { name, integer };
}

/** The name of a TensorProto; notes the file that its data lies in, where that is another. */
function readInitializer(reader: Reader, model: ModelFile): string {
  let name = "", isExternal = false;
  const place: Record<string, string> = {};
  while (reader.next()) {
    if (reader.field === 8) name = reader.text();
    else if (reader.field === 14) isExternal = reader.integer() !== 0;
    else if (reader.field === 13) {
      const { key, value } = readEntry(reader.message("a place of data"));
      place[key] = value;
    } else reader.skip();
  }
  if (!isExternal) return name;
  const { location: file = "", offset = "0", length = "0" } = place;
  // What a file says must not lead the reader anywhere else.
  if (!/^[^/\\:][^\\:]*$/.test(file) || file.split("/").includes("..")) {
    throw new FileFault(`its weight "${name}" lies in ${JSON.stringify(file)}, no file beside it`);
  }
  const end = Number(offset) + Number(length);
  if (!(end >= 0)) {
    throw new FileFault(`its weight "${name}" lies at ${offset} of ${file}, with ${length} bytes`);
  }
  model.weightFiles.set(file, Math.max(end, model.weightFiles.get(file) ?? 0));
  return name;
}

function readEntry(reader: Reader): { key: string; value: string } {
  let key = "", value = "";
  while (reader.next()) {
    if (reader.field === 1) key = reader.text();
    else if (reader.field === 2) value = reader.text();
    else reader.skip();
  }
  return { key, value };
}

function readValue(reader: Reader): TensorInfo {
  const info: TensorInfo = { name: "", elementType: 0, shape: null };
  while (reader.next()) {
    if (reader.field === 1) info.name = reader.text();
    else if (reader.field === 2) readType(reader.message("a type"), info);
    else reader.skip();
  }
  return info;
}

function readType(reader: Reader, info: TensorInfo): void {
  while (reader.next()) {
    if (reader.field !== 1) {
      reader.skip(); // a sequence, a map, an optional: no tensor
      continue;
    }
    const tensor = reader.message("a tensor type");
    while (tensor.next()) {
      if (tensor.field === 1) info.elementType = tensor.integer();
      else if (tensor.field === 2) info.shape = readShape(tensor.message("a shape"));
      else tensor.skip();
    }
  }
}

function readShape(reader: Reader): (number | null)[] {
  const shape: (number | null)[] = [];
  while (reader.next()) {
    if (reader.field !== 1) {
      reader.skip();
      continue;
    }
    const dimension = reader.message("a dimension");
    let size: number | null = null;
    while (dimension.next()) {
      if (dimension.field === 1) size = dimension.integer();
      else dimension.skip();
    }
    shape.push(size !== null && size > 0 ? size : null);
  }
  return shape;
}

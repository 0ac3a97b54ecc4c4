/** Tiny ONNX files for the tests: generators whose figures are known, and files that are none. */
import type { GeneratorManifest } from "../../src/manifest.ts";
import type { OnnxNode, OnnxTensor, OnnxValueInfo } from "../../src/graph/onnx_graph.ts";
import { encodeModel } from "../../src/graph/protobuf.ts";

/** The parts of a file. */
export interface ModelParts {
  nodes: OnnxNode[];
  inputs: OnnxValueInfo[];
  outputs: OnnxValueInfo[];
  initializers?: OnnxTensor[];
  metadata?: Record<string, string>;
}

/** A file of opset 17. */
export function model(parts: ModelParts): Uint8Array<ArrayBuffer> {
  const { nodes, inputs, outputs, initializers = [], metadata } = parts;
  return encodeModel({
    graph: { name: "test", nodes, inputs, outputs, initializers },
    opset: 17,
    irVersion: 8,
    producer: "test",
    producerVersion: "",
    metadata,
  });
}

/** A weight. */
export function weight(name: string, data: Float32Array, dims: number[]): OnnxTensor {
  return { name, dtype: "float32", dims, data };
}

/** What a generator gives: `image` `[C, H, W]` or `sample` `[D]`. */
export type Output = Pick<GeneratorManifest["output"], "name" | "shape">;

function manifest(output: Output, classNames: string[] | null, dimension: number): string {
  const complete: GeneratorManifest = {
    formatVersion: 1,
    producer: "test",
    latent: { dimension, distribution: "normal" },
    output: { ...output, dtype: "float32", range: output.name === "image" ? [-1, 1] : null },
    classNames,
    truncationMean: Array(dimension).fill(0),
    preset: "test",
    step: 7,
    license: null,
    weightsSha256: "0".repeat(64),
    selfTest: { seeds: [0], labels: classNames && [0], values: [[0]], tolerance: 0 }, // not run
  };
  return JSON.stringify(complete);
}

const latent = (dimension: number): OnnxValueInfo => ({
  name: "latent",
  dtype: "float32",
  dims: ["N", dimension],
});

/**
 * A conditional generator that gives row `label` of a table; the sampler's labels go round, so that
 * sample `i` is row `i`.
 * @param rows `[count, ...output.shape]`
 */
export function tableGenerator(
  rows: Float32Array,
  output: Output,
  classNames?: string[],
): Uint8Array<ArrayBuffer> {
  const count = rows.length / output.shape.reduce((a, b) => a * b, 1);
  const names = classNames ?? Array.from({ length: count }, (_, i) => `row ${i}`);
  const nothing = weight("nothing", new Float32Array(1), [1, 1]);
  const flat = [-1n, ...output.shape.slice(1).map(() => 1n), 1n].slice(0, output.shape.length + 1);
  return model({
    inputs: [latent(1), { name: "label", dtype: "int64", dims: ["N"] }],
    outputs: [{ name: output.name, dtype: "float32", dims: ["N", ...output.shape] }],
    initializers: [
      weight("rows", rows, [count, ...output.shape]),
      nothing,
      { name: "flat", dtype: "int64", dims: [flat.length], data: BigInt64Array.from(flat) },
    ],
    nodes: [
      { op: "Gather", inputs: ["rows", "label"], outputs: ["picked"] },
      { op: "MatMul", inputs: ["latent", "nothing"], outputs: ["zero"] },
      { op: "Reshape", inputs: ["zero", "flat"], outputs: ["zeros"] },
      { op: "Add", inputs: ["picked", "zeros"], outputs: [output.name] },
    ],
    metadata: { "ganforge.manifest": manifest(output, names, 1) },
  });
}

/** A generator that gives `row + latent . slope`. @param row one sample @param slopes `[dimension, ...]` */
export function affineGenerator(
  row: Float32Array,
  output: Output,
  slopes: { dimension: number; values: Float32Array } = {
    dimension: 1,
    values: new Float32Array(row.length),
  },
): Uint8Array<ArrayBuffer> {
  const shape = [-1, ...output.shape];
  return model({
    inputs: [latent(slopes.dimension)],
    outputs: [{ name: output.name, dtype: "float32", dims: ["N", ...output.shape] }],
    initializers: [
      weight("row", row, [row.length]),
      weight("slopes", slopes.values, [slopes.dimension, row.length]),
      {
        name: "shape",
        dtype: "int64",
        dims: [shape.length],
        data: BigInt64Array.from(shape, BigInt),
      },
    ],
    nodes: [
      { op: "MatMul", inputs: ["latent", "slopes"], outputs: ["product"] },
      { op: "Add", inputs: ["product", "row"], outputs: ["sum"] },
      { op: "Reshape", inputs: ["sum", "shape"], outputs: [output.name] },
    ],
    metadata: { "ganforge.manifest": manifest(output, null, slopes.dimension) },
  });
}

/** Images `[N, H, W, C]` as generators give them, `[N, C, H, W]`. */
export function toPlanes(values: Float32Array, [h, w, c]: readonly number[]): Float32Array {
  const planes = new Float32Array(values.length);
  const plane = h * w;
  for (let at = 0; at < values.length; at++) {
    const image = Math.floor(at / (plane * c));
    const inside = at % (plane * c);
    planes[image * plane * c + (inside % c) * plane + Math.floor(inside / c)] = values[at];
  }
  return planes;
}

/** A float32 .npy file. */
export function npy(values: Float32Array, shape: readonly number[]): Uint8Array<ArrayBuffer> {
  const dict = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(", ")}), }`;
  const header = dict.padEnd(117) + "\n";
  const bytes = new Uint8Array(10 + header.length + values.byteLength);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0]);
  bytes.set(new TextEncoder().encode(header), 10);
  const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  bytes.set(raw, 10 + header.length);
  return bytes;
}

/** Runs a test in a folder of its own that holds some files. */
export async function withFiles(
  files: Record<string, Uint8Array | string>,
  test: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "ganforge-evaluate-" });
  try {
    for (const [name, content] of Object.entries(files)) {
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      await Deno.writeFile(`${folder}/${name}`, bytes);
    }
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

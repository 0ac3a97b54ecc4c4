/**
 * Uniform blocks: how TensorFlow.js lays out the block of its own programs, and how ours are packed.
 */
import type * as tfTypes from "@tensorflow/tfjs";
import { tf } from "../../tensor/tf.ts";
import type { StockProgram, UniformField } from "./backend_types.ts";

/**
 * The uniform block of a stock program: NaN, infinity, shape and strides of each input and of the
 * output, the output's size where the program asks for it, then the program's own fields.
 */
export function packStockUniforms(
  program: StockProgram,
  output: tfTypes.TensorInfo,
  inputs: tfTypes.TensorInfo[],
  own: UniformField[] = [],
): ArrayBuffer {
  const fields: UniformField[] = [
    { type: "float32", data: [NaN] },
    { type: "float32", data: [Infinity] },
  ];
  for (const { shape } of [...inputs, output]) {
    fields.push({ type: "int32", data: shape });
    fields.push({ type: "int32", data: tf.util.computeStrides(shape) });
  }
  if (program.size) {
    const size = tf.util.sizeFromShape(program.outputShape);
    fields.push({ type: "int32", data: [size / (program.outputComponent ?? 1)] });
  }
  return packFields([...fields, ...own]);
}

/** Packs fields as TensorFlow.js declares them: WGSL's alignments, and arrays of 5 or 6 as structs. */
function packFields(fields: UniformField[]): ArrayBuffer {
  let end = 0;
  let alignment = 4;
  let previousLength = 0;
  const placed = fields.map(({ type, data }) => {
    const values = data.length === 0 ? [1] : data;
    const afterStruct = previousLength === 5 || previousLength === 6;
    const align = afterStruct ? 16 : values.length === 1 ? 4 : values.length === 2 ? 8 : 16;
    const offset = Math.ceil(end / align) * align;
    end = offset + values.length * 4;
    alignment = Math.max(alignment, align);
    previousLength = values.length;
    return { type, values, offset };
  });
  const buffer = new ArrayBuffer(Math.ceil(end / alignment) * alignment);
  for (const { type, values, offset } of placed) {
    const View = type === "int32" ? Int32Array : type === "uint32" ? Uint32Array : Float32Array;
    new View(buffer, offset, values.length).set(values);
  }
  return buffer;
}

/**
 * Packs the scalars of one of our own uniform blocks: unsigned integers first, then floats, 4 bytes
 * each, padded to 16 bytes.
 */
export function packScalars(integers: number[], floats: number[] = []): ArrayBuffer {
  const count = integers.length + floats.length;
  const buffer = new ArrayBuffer(Math.max(16, Math.ceil(count / 4) * 16));
  new Uint32Array(buffer, 0, integers.length).set(integers);
  new Float32Array(buffer, integers.length * 4, floats.length).set(floats);
  return buffer;
}

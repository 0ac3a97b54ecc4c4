/** Whether an engine computes at all: some drivers open a device and then fail, or leave zeros behind. */
import { tf } from "../tensor/tf.ts";
import type { Engine } from "./types.ts";
import type { HostTensor } from "../tensor/types.ts";

const [ROWS, TERMS, COLUMNS] = [5, 6, 7];

/** Whole numbers from -4 to 4, so that every sum is exact. */
function wholeNumbers(rows: number, columns: number, factor: number): HostTensor {
  const data = Float32Array.from({ length: rows * columns }, (_, i) => (factor * i) % 9 - 4);
  return { shape: [rows, columns], dtype: "float32", data };
}

/**
 * Lets an engine compute `relu(a b)` of small matrices.
 * @throws {Error} when it fails, or gives anything but the right values
 */
export async function probe(engine: Engine): Promise<void> {
  const [a, b] = [wholeNumbers(ROWS, TERMS, 5), wholeNumbers(TERMS, COLUMNS, 7)];
  const compiled = await engine.compileFunction(
    ({ a, b }) => ({ y: tf.relu(tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D)) }),
    { a, b },
  );
  try {
    const { y } = await compiled.run({ a, b });
    for (let i = 0; i < ROWS * COLUMNS; i++) {
      const [row, column] = [Math.floor(i / COLUMNS), i % COLUMNS];
      let sum = 0;
      for (let k = 0; k < TERMS; k++) {
        sum += a.data[row * TERMS + k] * b.data[k * COLUMNS + column];
      }
      const right = Math.max(0, sum);
      if (y.data[i] === right) continue;
      throw new Error(`it computes ${y.data[i]} where ${right} is right`);
    }
  } finally {
    await compiled.dispose();
  }
}

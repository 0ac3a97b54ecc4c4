/** Tensors of the backend "cpu", whose values the tracer reads, whatever backend is current. */
import { tf } from "./tf.ts";
import type { HostTensors, TensorMap } from "./types.ts";

/** Makes host tensors tensors of the backend "cpu". The caller disposes of them. */
export function toCpuTensors(given: HostTensors): TensorMap {
  const previous = tf.getBackend();
  void tf.setBackend("cpu");
  try {
    return Object.fromEntries(
      Object.entries(given).map(([name, { data, shape, dtype }]) => [
        name,
        tf.tensor(data, shape, dtype),
      ]),
    );
  } finally {
    void tf.setBackend(previous || "cpu");
  }
}

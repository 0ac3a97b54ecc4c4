/** Normal numbers by address, for made tables. */
import { fillNormal } from "../../src/random/counter_random.ts";

/** N(0, 1) values of a stream. */
export function counterNormals(count: number, stream: number): number[] {
  const values = new Float32Array(count);
  fillNormal(values, { seed: 11, stream, step: 0 });
  return [...values];
}

import { assert, assertEquals } from "@std/assert";
import { tf } from "../../../src/tensor/tf.ts";
import type { HostTensor, TensorMap, TensorSpec } from "../../../src/tensor/types.ts";
import type { WebGpuFunction } from "../../../src/engine/webgpu/compiled_function.ts";
import type { WebGpuStep } from "../../../src/engine/webgpu/compiled_step.ts";
import { createWebGpuEngine } from "../../../src/engine/webgpu/engine.ts";
import { GPU_TUNING } from "../../../src/engine/webgpu/tuning.ts";
import { assertClose, normals, test, withWebGpu } from "./helpers.ts";

const SHAPES = { a: [3, 5], b: [4, 8], c: [1], d: [70000] };

function specOf(name: keyof typeof SHAPES): Record<string, TensorSpec> {
  return { [name]: { shape: SHAPES[name], dtype: "float32" } };
}

test("on GPUs elementwise work in a row that needs nothing of each other is one dispatch", () =>
  withWebGpu(async () => {
    const fn = ({ a, b, c, d }: TensorMap): TensorMap => ({
      ya: tf.tanh(a),
      yb: tf.mul(b, tf.slice(b, [1, 2], [1, 1])),
      yc: tf.add(tf.exp(c), 1),
      yd: tf.relu(tf.sub(d, c)),
    });
    const entries = Object.entries(SHAPES).map(([name, shape], stream) => {
      return { name, shape, data: normals(shape, stream) };
    });
    await tf.setBackend("cpu");
    const given = entries.map(({ name, shape, data }) => [name, tf.tensor(data, shape)] as const);
    const expected = fn(Object.fromEntries(given));
    const engine = await createWebGpuEngine({ tuning: GPU_TUNING });
    const specs = entries.map(({ name }) => specOf(name as keyof typeof SHAPES));
    const compiled = await engine.compileFunction(
      fn,
      Object.assign({}, ...specs),
    ) as WebGpuFunction;
    assertEquals(compiled.executable.dispatchCount, 1);
    const actual = await compiled.run(
      Object.fromEntries(
        entries.map(({ name, shape, data }) => [name, { shape, dtype: "float32", data }]),
      ),
    );
    for (const [name, tensor] of Object.entries(expected)) {
      const values = Float32Array.from(await tensor.data());
      assertClose(name, actual[name].data as Float32Array, values, 1e-6);
    }
    tf.dispose([expected, given.map(([, tensor]) => tensor)]);
    await engine.dispose();
  }));

test("work that needs an earlier result waits, and chains advance together", () =>
  withWebGpu(async () => {
    const engine = await createWebGpuEngine({ tuning: GPU_TUNING });
    const dispatches = async (fn: (b: tf.Tensor2D) => TensorMap) => {
      const compiled = await engine.compileFunction(
        ({ b }) => fn(b as tf.Tensor2D),
        specOf("b"),
      ) as WebGpuFunction;
      return compiled.executable.dispatchCount;
    };
    // Elementwise, product, elementwise: nothing of it in a row.
    assertEquals(
      await dispatches((b) => {
        const first = tf.tanh(b);
        const product = tf.matMul(first, first, false, true);
        return { first, last: tf.mul(product, 2) };
      }),
      3,
    );
    // A transposition reads other elements than it writes, so it cannot join what it needs.
    assertEquals(
      await dispatches((b) => {
        const first = tf.tanh(b);
        return { first, last: tf.mul(tf.transpose(first), 2) };
      }),
      2,
    );
    // Two chains advance together: their products, then what follows both in one dispatch.
    assertEquals(
      await dispatches((b) => {
        const chain = (x: tf.Tensor2D): tf.Tensor2D => {
          const first = tf.tanh(tf.matMul(x, x, false, true));
          return tf.exp(tf.matMul(first, first));
        };
        return { first: chain(tf.mul(b, 2)), last: chain(tf.mul(b, 3)) };
      }),
      1 + 2 + 1 + 2 + 1,
    );
    await engine.dispose();
  }));

test("new state waits where work beside it reads the old one at other places", () =>
  withWebGpu(async () => {
    const old = normals([8], 1);
    const engine = await createWebGpuEngine({ tuning: GPU_TUNING });
    const vector = (data: Float32Array): HostTensor => ({ shape: [2, 4], dtype: "float32", data });
    const compiled = await engine.compileStep(
      {
        inputs: {},
        step({ a, b }) {
          const next = tf.mul(b, 3); // recorded before the other reads b, through a transposition
          return {
            state: { a: tf.add(a, tf.reshape(tf.transpose(b), [2, 4])), b: next },
            scalars: {},
          };
        },
      },
      { a: vector(new Float32Array(8)), b: vector(old) },
      1,
    ) as WebGpuStep;
    const { dispatchCount, copyCount } = compiled.executable;
    assertEquals([dispatchCount, copyCount], [2, 0]);
    await compiled.run([{}, {}], 0);
    const { a, b } = await compiled.readState();
    const turned = [0, 4, 1, 5, 2, 6, 3, 7].map((i) => 4 * old[i]); // transposed, once and three times
    assertClose("a", a.data as Float32Array, Float32Array.from(turned), 1e-6);
    assertClose("b", b.data as Float32Array, old.map((x) => 9 * x), 1e-6);
    await engine.dispose();
  }));

test("sums of many parts in a row keep their dispatch's uniform block short", () =>
  withWebGpu(async () => {
    const engine = await createWebGpuEngine({
      tuning: { ...GPU_TUNING, targetTiles: 64, minDepth: 4 },
    });
    const shapes = Array.from({ length: 16 }, (_, k) => [`x${k}`, [4, 256 + 4 * k]] as const);
    const entries = shapes.map((
      [name, shape],
    ) => [name, { shape: [...shape], dtype: "float32" as const }]);
    const fn = (tensors: TensorMap): TensorMap =>
      Object.fromEntries(
        Object.entries(tensors).map(([name, x]) => [
          name,
          tf.matMul(x as tf.Tensor2D, x as tf.Tensor2D, false, true),
        ]),
      );
    const compiled = await engine.compileFunction(
      fn,
      Object.fromEntries(entries),
    ) as WebGpuFunction;
    const { dispatchCount } = compiled.executable;
    assert(dispatchCount > 17 && dispatchCount < 32, `${dispatchCount} dispatches`);
    const inputs = Object.fromEntries(
      shapes.map(([name, shape], k) => [
        name,
        { shape: [...shape], dtype: "float32" as const, data: normals([...shape], k) },
      ]),
    );
    const actual = await compiled.run(inputs);
    await tf.setBackend("cpu");
    for (const [name, { shape, data }] of Object.entries(inputs)) {
      const x = tf.tensor2d(data, shape as [number, number]);
      const product = tf.matMul(x, x, false, true);
      const values = Float32Array.from(await product.data());
      assertClose(name, actual[name].data as Float32Array, values, 3e-6);
      tf.dispose([x, product]);
    }
    await engine.dispose();
  }));

import { assert, assertEquals } from "@std/assert";
import { tf } from "../../../src/tensor/tf.ts";
import { broadcastTerms } from "../../../src/engine/webgpu/expression.ts";
import { drawRandom } from "../../../src/engine/webgpu/kernels/elementwise.ts";
import { fillNormal, fillUniform } from "../../../src/random/counter_random.ts";
import {
  assertClose,
  assertMatchesCpu,
  type Plain,
  plainNormals,
  test,
  testByFamily,
  withWebGpu,
} from "./helpers.ts";

const special = [NaN, Infinity, -Infinity, 0, -0, 1, -1, 0.5, -3, 30, -30, 88, 1e-6, -1e-6, 7, 1e6];

testByFamily(
  (family) =>
    `unary kernels, tuned for ${family}, give the cpu backend's values, NaN and infinities too`,
  async () => {
    const x: Plain = { shape: [4, 4], values: special };
    const odd = plainNormals([3, 7], 1);
    const names = [
      "neg",
      "abs",
      "square",
      "sqrt",
      "rsqrt",
      "reciprocal",
      "exp",
      "expm1",
      "log",
      "floor",
      "tanh",
      "sigmoid",
      "softplus",
      "relu",
      "relu6",
      "elu",
      "selu",
      "sign",
    ] as const;
    const finite = new Set(["sign", "sqrt", "rsqrt", "log", "reciprocal", "softplus"]);
    for (const name of names) {
      const fn = (t: tf.Tensor) => (tf[name] as (t: tf.Tensor) => tf.Tensor)(t);
      await assertMatchesCpu(
        name,
        [odd].map(({ shape, values }) => ({
          shape,
          values: finite.has(name) ? Array.from(values, (v) => Math.abs(v) + 0.1) : values,
        })),
        fn,
      );
      if (!finite.has(name) && name !== "square") await assertMatchesCpu(name, [x], fn);
    }
    await assertMatchesCpu("leakyRelu", [x], (t) => tf.leakyRelu(t, 0.2));
    await assertMatchesCpu("step", [{ shape: [3], values: [-1, 0, 2] }], (t) => tf.step(t, 0.3));
    await assertMatchesCpu("clip", [odd], (t) => tf.clipByValue(t, -0.5, 0.25));
  },
);

test("softplus keeps the digits of small values, and NaN", () =>
  withWebGpu(async () => {
    const y = await tf.softplus([-12, -20, 40, NaN]).data();
    assertClose("softplus(-12)", Float32Array.of(y[0]), Float32Array.of(6.1441935e-6), 1e-5);
    assertClose("softplus(-20)", Float32Array.of(y[1]), Float32Array.of(2.0611537e-9), 1e-5);
    assertEquals(y[2], 40);
    assert(Number.isNaN(y[3]));
  }));

testByFamily(
  (family) => `binary kernels, tuned for ${family}, broadcast as the cpu backend does`,
  async () => {
    const shapes: [number[], number[]][] = [
      [[4, 8], [4, 8]],
      [[4, 8], [8]],
      [[4, 8], []],
      [[5, 3], [3]],
      [[4, 1, 8], [4, 6, 8]],
      [[2, 3, 4, 8], [1, 3, 1, 8]],
      [[2, 3, 4, 8], [2, 1, 1, 1]],
      [[6, 1], [1, 5]],
      [[1], [1]],
      [[7], [7]],
      // So many that a thread computes several elements, or several fours of them.
      [[9001], []],
      [[41000], [1]],
      [[205, 200], [200]],
    ];
    const ops = ["add", "sub", "mul", "div", "maximum", "minimum", "squaredDifference"] as const;
    let stream = 10;
    for (const [a, b] of shapes) {
      const inputs = [plainNormals(a, stream++), plainNormals(b, stream++)];
      await assertMatchesCpu(
        `${ops} [${a}] [${b}]`,
        inputs,
        (x, y) => ops.map((op) => tf[op](x, y)),
      );
    }
    const withNan = [{ shape: [3], values: [NaN, 1, NaN] }, { shape: [3], values: [1, NaN, NaN] }];
    await assertMatchesCpu("maximum of NaN", withNan, tf.maximum);
    await assertMatchesCpu("minimum of NaN", withNan, tf.minimum);
  },
);

testByFamily(
  (family) =>
    `comparisons, logic, where and casts, tuned for ${family}, give the cpu backend's values`,
  async () => {
    const a: Plain = { shape: [2, 4], values: [1, 2, 3, 0, -1, 0.5, NaN, 2] };
    const b: Plain = { shape: [4], values: [1, 1, 4, 0] };
    await assertMatchesCpu("comparisons", [a, b], (x, y) => [
      tf.greater(x, y),
      tf.greaterEqual(x, y),
      tf.less(x, y),
      tf.lessEqual(x, y),
      tf.equal(x, y),
      tf.notEqual(x, y),
      tf.logicalAnd(x.greater(0), y.greater(0)),
      tf.logicalOr(x.greater(1), y.greater(1)),
      tf.logicalNot(x.greater(0)),
      tf.where(x.greater(0.7), x.mul(2), x.sub(1)),
      tf.cast(x.greater(0), "float32"),
    ]);
    await assertMatchesCpu("casts", [{ shape: [4], values: [1.7, -1.7, 0, 3] }], (x) => [
      tf.cast(x, "int32"),
      tf.cast(x, "bool"),
      tf.cast(tf.cast(x, "int32"), "float32"),
    ]);
    await assertMatchesCpu("fills", [a], (x) => [
      tf.fill([5], 2.5),
      tf.zerosLike(x),
      tf.onesLike(x),
      tf.addN([tf.onesLike(x), tf.onesLike(x), tf.fill([2, 4], 3)]),
    ]);
  },
);

Deno.test("broadcastTerms() joins dimensions that advance together", () => {
  assertEquals(broadcastTerms([2, 3, 4], [2, 3, 4]), [{ divisor: 1, modulus: 24, stride: 1 }]);
  assertEquals(broadcastTerms([4], [2, 3, 4]), [{ divisor: 1, modulus: 4, stride: 1 }]);
  assertEquals(broadcastTerms([], [2, 3, 4]), []);
  assertEquals(broadcastTerms([2, 1, 4], [2, 3, 4]), [
    { divisor: 1, modulus: 4, stride: 1 },
    { divisor: 12, modulus: 2, stride: 4 },
  ]);
});

testByFamily(
  (family) =>
    `drawRandom(), tuned for ${family}, gives counter_random.ts's uniforms bit for bit, normals to 4e-7`,
  async (backend) => {
    const seed = 0xfedc_ba98;
    const address = tf.tensor1d(Int32Array.of(seed | 0, 12345), "int32");
    for (const size of [1, 3, 4, 4096, 20001]) {
      const host = { seed, stream: 5, step: 12345 };
      const options = { shape: [size], stream: 5 };
      const uniform = tf.engine().makeTensorFromTensorInfo(
        drawRandom(backend, "uniform", address, options),
      );
      assertEquals(await uniform.data(), fillUniform(new Float32Array(size), host));
      const normal = tf.engine().makeTensorFromTensorInfo(
        drawRandom(backend, "normal", address, options),
      );
      const expected = fillNormal(new Float32Array(size), host);
      const actual = await normal.data();
      for (let i = 0; i < size; i++) {
        const error = Math.abs(actual[i] - expected[i]) / Math.max(1e-3, Math.abs(expected[i]));
        assert(error < 4e-7, `normal ${i} of ${size}: ${actual[i]}, expected ${expected[i]}`);
      }
    }
  },
);

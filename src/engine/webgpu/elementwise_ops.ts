/**
 * The scalar functions that elementwise kernels are made of, as WGSL for one element or for four.
 * NaN goes in and comes out: comparisons are written so that a NaN takes the branch that keeps it.
 */

/** How an element is stored. Booleans are 0 or 1 in an i32, as TensorFlow.js keeps them. */
export type WgslType = "f32" | "i32";

/** One function: how many arguments and parameters it takes, and its WGSL. */
export interface ElementwiseOp {
  /** How many of the values in the uniform block it uses, and whether they are floats. */
  params?: ("f32" | "u32")[];
  /** Its result's type; by default that of its first argument. */
  result?: WgslType;
  /**
   * The expression.
   * @param a the arguments
   * @param p the parameters
   * @param f the float type (`f32` or `vec4<f32>`)
   */
  wgsl(a: string[], p: string[], f: string): string;
}

const intOf = (f: string) => f === "f32" ? "i32" : "vec4<i32>";
const uintOf = (f: string) => f === "f32" ? "u32" : "vec4<u32>";
/** By the bits: compilers of shaders may take `x != x` for false. */
const isNan = (x: string, f: string) =>
  `((bitcast<${uintOf(f)}>(${x}) & ${uintOf(f)}(0x7fffffffu)) > ${uintOf(f)}(0x7f800000u))`;

function compare(operator: string): ElementwiseOp {
  return {
    result: "i32",
    wgsl: ([a, b], _, f) => `select(${intOf(f)}(0), ${intOf(f)}(1), ${a} ${operator} ${b})`,
  };
}

function unary(body: (x: string, f: string) => string): ElementwiseOp {
  return { wgsl: ([x], _, f) => body(x, f) };
}

function infix(operator: string): ElementwiseOp {
  return { wgsl: ([a, b]) => `(${a} ${operator} ${b})` };
}

// Compilers of shaders reorder sums as if they were exact, so tricks that cancel rounding errors do
// not work here; series do.

/** `ln(1 + x)` for x in [0, 1]: `2 atanh(x / (2 + x))` by its series, to float32's precision. */
function log1p(x: string): string {
  const s = `(${x} / (2.0 + ${x}))`;
  let series = "1.0 / 15.0";
  for (let k = 13; k >= 1; k -= 2) series = `(${series}) * ${s} * ${s} + ${(1 / k).toFixed(9)}`;
  return `2.0 * ${s} * (${series})`;
}

/** `exp(x) - 1`: Taylor's series for `|x| < 0.5`, where subtracting would lose digits. */
function expm1(x: string, f: string): string {
  let series = "1.0";
  for (let k = 8; k >= 2; k--) series = `1.0 + ${x} / ${k}.0 * (${series})`;
  return `select(exp(${x}) - 1.0, ${x} * (${series}), abs(${x}) < ${f}(0.5))`;
}

const SELU_ALPHA = "1.6732632423543772";
const SELU_SCALE = "1.0507009873554805";

/** All functions by name. */
export const ELEMENTWISE_OPS = {
  add: infix("+"),
  sub: infix("-"),
  mul: infix("*"),
  div: infix("/"),
  maximum: {
    wgsl: ([a, b], _, f) => `select(max(${a}, ${b}), ${a} + ${b}, ${isNan(a, f)} | ${isNan(b, f)})`,
  },
  minimum: {
    wgsl: ([a, b], _, f) => `select(min(${a}, ${b}), ${a} + ${b}, ${isNan(a, f)} | ${isNan(b, f)})`,
  },
  /** As TensorFlow.js has it: 1 for any x^0, NaN for a fractional power of a negative number. */
  pow: {
    wgsl: ([a, b], _, f) =>
      `select(select(select(pow(abs(${a}), ${b}), -pow(abs(${a}), ${b}), ` +
      `(${a} < ${f}(0.0)) & (abs(${b} % 2.0) == ${f}(1.0))), ` +
      `${a} - bitcast<${f}>(${uintOf(f)}(0x7fc00000u)), ` +
      `(${a} < ${f}(0.0)) & (floor(${b}) < ${b}) | ${isNan(a, f)} | ${isNan(b, f)}), ` +
      `${f}(1.0), ${b} == ${f}(0.0))`,
  },
  squaredDifference: { wgsl: ([a, b]) => `((${a} - ${b}) * (${a} - ${b}))` },
  greater: compare(">"),
  greaterEqual: compare(">="),
  less: compare("<"),
  lessEqual: compare("<="),
  equal: compare("=="),
  /** Not by `!=`, which compilers of shaders take for false when an argument is NaN. */
  notEqual: {
    result: "i32",
    wgsl: ([a, b], _, f) => `select(${intOf(f)}(1), ${intOf(f)}(0), ${a} == ${b})`,
  },
  logicalAnd: { result: "i32", wgsl: ([a, b]) => `(${a} & ${b})` },
  logicalOr: { result: "i32", wgsl: ([a, b]) => `(${a} | ${b})` },
  logicalNot: { result: "i32", wgsl: ([a]) => `(1 - ${a})` },
  /** condition, value where it holds, value elsewhere */
  where: {
    result: "f32",
    wgsl: ([c, a, b], _, f) => `select(${b}, ${a}, ${c} != ${intOf(f)}(0))`,
  },
  /** its argument: a broadcast, a slice, a transposition, by how it is indexed */
  copy: unary((x) => x),
  neg: unary((x) => `(-${x})`),
  abs: unary((x) => `abs(${x})`),
  square: unary((x) => `(${x} * ${x})`),
  sqrt: unary((x) => `sqrt(${x})`),
  rsqrt: unary((x) => `inverseSqrt(${x})`),
  reciprocal: unary((x) => `(1.0 / ${x})`),
  exp: unary((x) => `exp(${x})`),
  expm1: unary(expm1),
  log: unary((x) => `log(${x})`),
  floor: unary((x) => `floor(${x})`),
  sign: unary((x) => `sign(${x})`),
  tanh: unary((x, f) => `select(tanh(clamp(${x}, ${f}(-15.0), ${f}(15.0))), ${x}, ${isNan(x, f)})`),
  sigmoid: unary((x) => `(1.0 / (1.0 + exp(-${x})))`),
  softplus: unary((x, f) =>
    `(select(${x}, ${f}(0.0), ${x} < ${f}(0.0)) + ${log1p(`exp(-abs(${x}))`)})`
  ),
  // A choice by `x < 0` alone would do, but compilers of GPUs make a maximum of it, which drops NaN.
  relu: unary((x, f) => `select(max(${x}, ${f}(0.0)), ${x}, ${isNan(x, f)})`),
  relu6: unary((x, f) => `select(clamp(${x}, ${f}(0.0), ${f}(6.0)), ${x}, ${isNan(x, f)})`),
  elu: unary((x, f) => `select(${x}, ${expm1(x, f)}, ${x} < ${f}(0.0))`),
  selu: unary((x, f) =>
    `select(${x} * ${SELU_SCALE}, ${expm1(x, f)} * (${SELU_SCALE} * ${SELU_ALPHA}), ` +
    `${x} < ${f}(0.0))`
  ),
  /** 1 above 0, the parameter at or below */
  step: {
    params: ["f32"],
    wgsl: ([x], [alpha], f) =>
      `select(select(${f}(1.0), ${f}(${alpha}), ${x} <= ${f}(0.0)), ${x}, ${isNan(x, f)})`,
  },
  leakyRelu: {
    params: ["f32"],
    wgsl: ([x], [alpha], f) => `select(${x}, ${x} * ${alpha}, ${x} < ${f}(0.0))`,
  },
  /** limits to [low, high] */
  clip: {
    params: ["f32", "f32"],
    wgsl: ([x], [low, high], f) =>
      `select(clamp(${x}, ${f}(${low}), ${f}(${high})), ${x}, ${isNan(x, f)})`,
  },
  /** from bool or int32 */
  toFloat: { result: "f32", wgsl: ([x], _, f) => `${f}(${x})` },
  /** from float32, toward 0 */
  toInt: { result: "i32", wgsl: ([x], _, f) => `${intOf(f)}(${x})` },
  /** from float32 */
  toBool: {
    result: "i32",
    wgsl: ([x], _, f) => `select(${intOf(f)}(1), ${intOf(f)}(0), ${x} == ${f}(0.0))`,
  },
  /** the parameter everywhere */
  fill: { params: ["f32"], result: "f32", wgsl: (_, [value], f) => `${f}(${value})` },
  /** U[0, 1) of src/random/counter_random.ts; argument: the address; parameter: the stream */
  uniform: {
    params: ["u32"],
    result: "f32",
    wgsl: ([address], [stream], f) => `uniform_${suffix(f)}(${address}, ${stream}, i)`,
  },
  /** N(0, 1) of src/random/counter_random.ts; argument: the address; parameter: the stream */
  normal: {
    params: ["u32"],
    result: "f32",
    wgsl: ([address], [stream], f) => `normal_${suffix(f)}(${address}, ${stream}, i)`,
  },
  /** Part of a larger uniform draw; further parameters: {@linkcode RANDOM_WGSL}'s `row_index` */
  uniformRows: {
    params: ["u32", "u32", "u32", "u32"],
    result: "f32",
    wgsl: ([address], params, f) => drawRows("uniform", address, params, f),
  },
  /** The same of a normal one. */
  normalRows: {
    params: ["u32", "u32", "u32", "u32"],
    result: "f32",
    wgsl: ([address], params, f) => drawRows("normal", address, params, f),
  },
} satisfies Record<string, ElementwiseOp>;

/** Rows need not start at a block of four numbers, so each is drawn by itself. */
function drawRows(
  kind: "uniform" | "normal",
  address: string,
  [stream, size, whole, first]: readonly string[],
  f: string,
): string {
  const one = (index: string) =>
    `${kind}_one(${address}, ${stream}, row_index(${index}, ${size}, ${whole}, ${first}))`;
  if (f === "f32") return one("i");
  return `${f}(${one("i")}, ${one("i + 1u")}, ${one("i + 2u")}, ${one("i + 3u")})`;
}

const suffix = (f: string) => f === "f32" ? "one" : "four";

/** The name of a function. */
export type ElementwiseOpName = keyof typeof ELEMENTWISE_OPS;

/** True for the functions that draw random numbers at an address. */
export function isRandom(op: ElementwiseOpName): boolean {
  return op === "uniform" || op === "normal" || op === "uniformRows" || op === "normalRows";
}

/**
 * The random functions: pcg4d and the transforms of src/random/counter_random.ts. An address is
 * `(seed, step)`. Uniforms have the same bits as there; normals differ by float32's rounding.
 */
export const RANDOM_WGSL = /* wgsl */ `
// The number in the whole draw of number i of a share: parts of size numbers, whole apart there.
fn row_index(i: u32, size: u32, whole: u32, first: u32) -> u32 {
  return (i / size) * whole + first + i % size;
}
fn pcg4d(words: vec4<u32>) -> vec4<u32> {
  var v = words * 1664525u + 1013904223u;
  v.x += v.y * v.w; v.y += v.z * v.x; v.z += v.x * v.y; v.w += v.y * v.z;
  v ^= v >> vec4<u32>(16u);
  v.x += v.y * v.w; v.y += v.z * v.x; v.z += v.x * v.y; v.w += v.y * v.z;
  return v;
}
fn block(address: vec2<u32>, stream: u32, i: u32) -> vec4<u32> {
  return pcg4d(vec4<u32>(i / 4u, address.y, stream, address.x)) >> vec4<u32>(8u);
}
fn uniform_four(address: vec2<u32>, stream: u32, i: u32) -> vec4<f32> {
  return vec4<f32>(block(address, stream, i)) * ${2 ** -24};
}
fn uniform_one(address: vec2<u32>, stream: u32, i: u32) -> f32 {
  return uniform_four(address, stream, i)[i % 4u];
}
// ln(x) for a normal x > 0: the exponent, and the atanh series of the mantissa near 1. Written out,
// like cosine and sine below, because a driver's own functions may be coarse.
fn ln(x: vec2<f32>) -> vec2<f32> {
  let bits = bitcast<vec2<u32>>(x);
  let mantissa = bitcast<vec2<f32>>((bits & vec2<u32>(0x7fffffu)) | vec2<u32>(0x3f800000u));
  let high = mantissa > vec2<f32>(1.41421356);
  let m = select(mantissa, mantissa * 0.5, high);
  let exponent = vec2<f32>(vec2<i32>(bits >> vec2<u32>(23u)) - 127) +
    select(vec2<f32>(0.0), vec2<f32>(1.0), high);
  let s = (m - 1.0) / (m + 1.0);
  let q = s * s;
  let series = ((((q / 11.0 + 1.0 / 9.0) * q + 1.0 / 7.0) * q + 0.2) * q + 1.0 / 3.0) * q + 1.0;
  return exponent * ${Math.LN2} + 2.0 * s * series;
}
fn normal_four(address: vec2<u32>, stream: u32, i: u32) -> vec4<f32> {
  let words = block(address, stream, i);
  let radius = sqrt(-2.0 * ln(vec2<f32>(words.xz + vec2<u32>(1u)) * ${2 ** -24}));
  // The angle is taken from the nearest quarter turn, exactly, so that float32 loses nothing.
  let quarter = (words.yw + vec2<u32>(1u << 21u)) >> vec2<u32>(22u);
  let rest = vec2<i32>(words.yw) - vec2<i32>(quarter << vec2<u32>(22u));
  let angle = vec2<f32>(rest) * ${2 * Math.PI * 2 ** -24};
  let q = angle * angle;
  let c = (((q / 40320.0 - 1.0 / 720.0) * q + 1.0 / 24.0) * q - 0.5) * q + 1.0;
  let s = ((((q / 362880.0 - 1.0 / 5040.0) * q + 1.0 / 120.0) * q - 1.0 / 6.0) * q + 1.0) * angle;
  let odd = (quarter & vec2<u32>(1u)) == vec2<u32>(1u);
  let cosine = select(c, s, odd) * select(vec2<f32>(1.0), vec2<f32>(-1.0),
    ((quarter + vec2<u32>(1u)) & vec2<u32>(2u)) == vec2<u32>(2u));
  let sine = select(s, c, odd) * select(vec2<f32>(1.0), vec2<f32>(-1.0),
    (quarter & vec2<u32>(2u)) == vec2<u32>(2u));
  let even = radius * cosine;
  let uneven = radius * sine;
  return vec4<f32>(even.x, uneven.x, even.y, uneven.y);
}
fn normal_one(address: vec2<u32>, stream: u32, i: u32) -> f32 {
  return normal_four(address, stream, i)[i % 4u];
}
`;

/**
 * Convolutions for GPUs, as implicit matrix products (gemm_workgroup.ts): the matrix of image patches
 * is never stored, its elements are looked up while a tile is loaded.
 */
import { GEOMETRY_FIELDS } from "./conv_geometry.ts";
import { workgroupGemmCode } from "./gemm_workgroup.ts";
import { floatType, storage, uniforms } from "./wgsl.ts";

type Tile = { rows: number; columns: number; depth: number };

/** Which channels come in fours, so that four of them are read at once. */
export interface ChannelFours {
  /** The input's. */
  input: boolean;
  /** The output's. */
  output: boolean;
}

/** Fields after the geometry: terms in a part of the sum, and the number of parts. */
const declare = (inputs: Record<string, boolean>) => `
${
  storage(
    Object.fromEntries(
      Object.entries(inputs).map(([name, isFour]) => [name, floatType(isFour ? 4 : 1)]),
    ),
    { C: "f32" },
  )
}
${uniforms([...GEOMETRY_FIELDS, "depth", "parts"], 3)}`;

/** The value (or four) of x under tap (kh, kw) of an output pixel, channel c; 0 in the padding. */
const patch = (width: 1 | 4) => /* wgsl */ `
fn patch_value(pixel: u32, kh: u32, kw: u32, c: u32) -> ${floatType(width)} {
  let h = i32(pixel / u.outWidth % u.outHeight * u.strideHeight + kh * u.dilationHeight) -
    i32(u.padTop);
  let w = i32(pixel % u.outWidth * u.strideWidth + kw * u.dilationWidth) - i32(u.padLeft);
  if (h < 0 || w < 0 || h >= i32(u.height) || w >= i32(u.width)) { return ${
  floatType(width)
}(0.0); }
  let image = pixel / (u.outHeight * u.outWidth);
  return X[(((image * u.height + u32(h)) * u.width + u32(w)) * u.channels + c) / ${width}u];
}`;

/** Rows: output pixels; columns: output channels; terms: taps and input channels. z: parts. */
export function convForwardGemm(tile: Tile, fours: ChannelFours): string {
  return workgroupGemmCode({
    declarations: `${declare({ X: false, F: fours.output })}
${patch(1)}
fn patch_term(m: u32, k: u32) -> f32 {
  let tap = k / u.channels;
  return patch_value(m, tap / u.kernelWidth, tap % u.kernelWidth, k % u.channels);
}`,
    setup: `
let pixels = u.batch * u.outHeight * u.outWidth;
let end = min(u.kernelHeight * u.kernelWidth * u.channels, (z + 1u) * u.depth);`,
    sizes: { rows: "pixels", columns: "u.outChannels", from: "z * u.depth", to: "end" },
    a: "patch_term(m, k)",
    b: "F[k * u.outChannels + n]",
    bFour: fours.output ? "F[(k * u.outChannels + n) / 4u]" : undefined,
    store: "C[(z * pixels + m) * u.outChannels + n] = value;",
    aContiguousInTerms: true,
    bContiguousInTerms: false,
    tile,
  });
}

/** Rows: taps and input channels; columns: output channels; terms: output pixels. z: parts. */
export function convFilterGradientGemm(tile: Tile, fours: ChannelFours): string {
  const width = fours.input ? 4 : 1;
  return workgroupGemmCode({
    declarations: `${declare({ X: fours.input, D: fours.output })}
${patch(width)}
fn tap_value(m: u32, k: u32) -> ${floatType(width)} {
  let tap = m / u.channels;
  return patch_value(k, tap / u.kernelWidth, tap % u.kernelWidth, m % u.channels);
}`,
    setup: `
let taps = u.kernelHeight * u.kernelWidth * u.channels;
let end = min(u.batch * u.outHeight * u.outWidth, (z + 1u) * u.depth);`,
    sizes: { rows: "taps", columns: "u.outChannels", from: "z * u.depth", to: "end" },
    a: "tap_value(m, k)",
    aFour: fours.input ? "tap_value(m, k)" : undefined,
    b: "D[k * u.outChannels + n]",
    bFour: fours.output ? "D[(k * u.outChannels + n) / 4u]" : undefined,
    store: "C[(z * taps + m) * u.outChannels + n] = value;",
    aContiguousInTerms: false,
    bContiguousInTerms: false,
    tile,
  });
}

/**
 * Rows: input pixels of a phase; columns: input channels; terms: the phase's taps and output
 * channels. z: phases. Either the strides or the dilations must be 1.
 */
export function convInputGradientGemm(tile: Tile): string {
  return workgroupGemmCode({
    declarations: `${declare({ D: false, F: false })}
struct Phase { y: u32, x: u32, height: u32, width: u32, tap: vec2<u32>, taps: vec2<u32> };
fn phase_of(z: u32) -> Phase {
  let y = z / u.strideWidth;
  let x = z % u.strideWidth;
  // Taps (first, first + stride, ...) are those that reach pixels of the phase.
  let tap = vec2<u32>((y + u.padTop) % u.strideHeight, (x + u.padLeft) % u.strideWidth);
  let taps = (vec2<u32>(u.kernelHeight + u.strideHeight, u.kernelWidth + u.strideWidth) - 1u - tap) /
    vec2<u32>(u.strideHeight, u.strideWidth);
  return Phase(y, x, (u.height + u.strideHeight - 1u) / u.strideHeight,
    (u.width + u.strideWidth - 1u) / u.strideWidth, tap, taps);
}
fn row_of(p: Phase, m: u32) -> vec3<u32> {
  return vec3<u32>(m / (p.height * p.width), m / p.width % p.height * u.strideHeight + p.y,
    m % p.width * u.strideWidth + p.x);
}
fn tap_of(p: Phase, k: u32) -> vec2<u32> {
  let t = k / u.outChannels;
  return p.tap + vec2<u32>(t / p.taps.y * u.strideHeight, t % p.taps.y * u.strideWidth);
}
fn output_value(p: Phase, m: u32, k: u32) -> f32 {
  let row = row_of(p, m);
  let tap = tap_of(p, k);
  let top = i32(row.y + u.padTop) - i32(tap.x * u.dilationHeight);
  let left = i32(row.z + u.padLeft) - i32(tap.y * u.dilationWidth);
  if (top < 0 || left < 0) { return 0.0; }
  let h = u32(top) / u.strideHeight;
  let w = u32(left) / u.strideWidth;
  if (h >= u.outHeight || w >= u.outWidth) { return 0.0; }
  return D[((row.x * u.outHeight + h) * u.outWidth + w) * u.outChannels + k % u.outChannels];
}
fn filter_value(p: Phase, k: u32, n: u32) -> f32 {
  let tap = tap_of(p, k);
  return F[((tap.x * u.kernelWidth + tap.y) * u.channels + n) * u.outChannels + k % u.outChannels];
}`,
    setup: `
let phase = phase_of(z);
let pixels = u.batch * phase.height * phase.width;
let end = phase.taps.x * phase.taps.y * u.outChannels;`,
    sizes: { rows: "pixels", columns: "u.channels", from: "0u", to: "end" },
    a: "output_value(phase, m, k)",
    b: "filter_value(phase, k, n)",
    store: `
let row = row_of(phase, m);
if (row.y < u.height && row.z < u.width) {
  C[((row.x * u.height + row.y) * u.width + row.z) * u.channels + n] = value;
}`,
    aContiguousInTerms: true,
    bContiguousInTerms: true,
    tile,
  });
}

/**
 * Convolutions for GPUs, as implicit matrix products (gemm_workgroup.ts): the matrix of image patches
 * is never stored, its elements are looked up while a tile is loaded. The geometry is part of the
 * program, so that its many divisions are by constants.
 */
import type { GroupTile } from "../tuning.ts";
import { type ConvGeometry, GEOMETRY_FIELDS, geometryValues } from "./conv_geometry.ts";
import { workgroupGemmCode } from "./gemm_workgroup.ts";
import { guardedLoad } from "./tile_loader.ts";
import { constants, floatType, storage, vectorWidth } from "./wgsl.ts";

/** A convolution's program: its geometry, tile, and into how many parts the sum is split. */
export interface ConvGemm {
  geometry: ConvGeometry;
  tile: GroupTile;
  /** The terms of each part of the sum: a multiple of 4. */
  parts: number;
  depth: number;
}

interface Declared {
  /** The buffers that are read, by name, with how many values a load takes. */
  reads: Record<string, 1 | 4>;
  /** How many values a store takes. */
  width: 1 | 4;
  geometry: ConvGeometry;
  depth: number;
}

function declare({ reads, width, geometry, depth }: Declared): string {
  const types = Object.entries(reads).map(([name, four]) => [name, floatType(four)]);
  const loads = Object.entries(reads).map(([name, four]) =>
    guardedLoad(`load_${name}`, name, four)
  );
  return `
${storage(Object.fromEntries(types), { C: floatType(width) })}
${constants([...GEOMETRY_FIELDS, "depth"], [...geometryValues(geometry), depth])}
${firstChannels(geometry)}
fn same(i: u32) -> u32 { return i; }
${loads.join("\n")}`;
}

/** Where the channels of the workgroup's group begin, of the input and of the output. */
function firstChannels({ groups, channels, outChannels }: ConvGeometry): string {
  const own = `const group_in = ${channels / groups}u; const group_out = ${outChannels / groups}u;`;
  return groups === 1
    ? `${own} const first_in = 0u; const first_out = 0u;`
    : `${own} var<private> first_in: u32; var<private> first_out: u32;`;
}

/** Statements that find the part of the sum, and the group, of a workgroup. */
function takeGroup({ geometry: { groups }, parts }: ConvGemm): string {
  return `let part = z % ${parts}u;
${
    groups === 1 ? "" : `first_in = z / ${parts}u % ${groups}u * group_in;
first_out = z / ${parts}u % ${groups}u * group_out;`
  }`;
}

/** How many numbers of a group's channels are read at once. */
function widthsOf({ channels, outChannels, groups }: ConvGeometry): { x: 1 | 4; y: 1 | 4 } {
  return { x: vectorWidth(channels / groups), y: vectorWidth(outChannels / groups) };
}

/** Where an output pixel looks, under which tap, and the value (or four) of X that it sees there. */
const patches = (width: 1 | 4) => /* wgsl */ `
// First pixel of its image; row and column of the first tap.
fn pixel_of(i: u32) -> vec3<i32> {
  return vec3<i32>(
    i32(i / (u.outHeight * u.outWidth) * u.height * u.width),
    i32(i / u.outWidth % u.outHeight * u.strideHeight) - i32(u.padTop),
    i32(i % u.outWidth * u.strideWidth) - i32(u.padLeft));
}
// Row and column from the first tap; channel.
fn tap_of(i: u32) -> vec3<i32> {
  let tap = i / group_in;
  return vec3<i32>(
    i32(tap / u.kernelWidth * u.dilationHeight),
    i32(tap % u.kernelWidth * u.dilationWidth),
    i32(first_in + i % group_in));
}
fn patch_at(pixel: vec3<i32>, tap: vec3<i32>, inside: bool) -> ${floatType(width)} {
  let h = pixel.y + tap.x;
  let w = pixel.z + tap.y;
  let here = inside && h >= 0 && w >= 0 && h < i32(u.height) && w < i32(u.width);
  return load_X(u32((pixel.x + h * i32(u.width) + w) * i32(u.channels) + tap.z), here);
}`;

/**
 * Rows: output pixels; columns: output channels of a group; terms: taps and its input channels. z: groups,
 * the parts of each in a row.
 */
export function convForwardGemm(gemm: ConvGemm): string {
  const { geometry, tile, depth } = gemm;
  const { x, y: f } = widthsOf(geometry);
  return workgroupGemmCode({
    declarations: `${declare({ reads: { X: x, F: f }, width: f, geometry, depth })}
${patches(x)}
fn filter_row(k: u32) -> u32 { return k * u.outChannels + first_out; }
fn filter_at(n: u32, row: u32, inside: bool) -> ${
      floatType(f)
    } { return load_F(row + n, inside); }`,
    setup: `
${takeGroup(gemm)}
let pixels = u.batch * u.outHeight * u.outWidth;
let end = min(u.kernelHeight * u.kernelWidth * group_in, (part + 1u) * u.depth);`,
    sizes: { rows: "pixels", columns: "group_out", from: "part * u.depth", to: "end" },
    a: { fours: x === 4 ? "terms" : "none", row: "pixel_of", term: "tap_of", value: "patch_at" },
    b: {
      fours: f === 4 ? "rows" : "none",
      row: "same",
      term: "filter_row",
      value: "filter_at",
    },
    store: {
      width: f,
      statement: `C[((part * pixels + m) * u.outChannels + first_out + n) / ${f}u] = value;`,
    },
    tile,
  });
}

/**
 * Rows: taps and input channels of a group; columns: its output channels; terms: output pixels. z:
 * groups, the parts of each in a row.
 */
export function convFilterGradientGemm(gemm: ConvGemm): string {
  const { geometry, tile, depth } = gemm;
  const { x, y: d } = widthsOf(geometry);
  return workgroupGemmCode({
    declarations: `${declare({ reads: { X: x, D: d }, width: d, geometry, depth })}
${patches(x)}
fn tap_at(tap: vec3<i32>, pixel: vec3<i32>, inside: bool) -> ${floatType(x)} {
  return patch_at(pixel, tap, inside);
}
fn gradient_row(k: u32) -> u32 { return k * u.outChannels + first_out; }
fn gradient_at(n: u32, row: u32, inside: bool) -> ${floatType(d)} {
  return load_D(row + n, inside);
}`,
    setup: `
${takeGroup(gemm)}
let taps = u.kernelHeight * u.kernelWidth * group_in;
let end = min(u.batch * u.outHeight * u.outWidth, (part + 1u) * u.depth);`,
    sizes: { rows: "taps", columns: "group_out", from: "part * u.depth", to: "end" },
    a: { fours: x === 4 ? "rows" : "none", row: "tap_of", term: "pixel_of", value: "tap_at" },
    b: {
      fours: d === 4 ? "rows" : "none",
      row: "same",
      term: "gradient_row",
      value: "gradient_at",
    },
    store: {
      width: d,
      statement: `C[((part * taps + m) * u.outChannels + first_out + n) / ${d}u] = value;`,
    },
    tile,
  });
}

/**
 * Rows: input pixels of a phase, those with the same remainder by the strides; columns: input
 * channels of a group; terms: the phase's taps and output channels of the group. z: phases, the groups
 * of each, the parts of those in a row.
 * Either the strides or the dilations must be 1.
 */
export function convInputGradientGemm(gemm: ConvGemm): string {
  const { geometry, tile, depth, parts } = gemm;
  const { x: c, y: d } = widthsOf(geometry);
  return workgroupGemmCode({
    declarations: `${declare({ reads: { D: d, F: d }, width: c, geometry, depth })}
struct Phase { y: u32, x: u32, height: u32, width: u32, tap: vec2<u32>, taps: vec2<u32> };
var<private> here: Phase; // for the functions of rows and terms
fn phase_of(i: u32) -> Phase {
  let y = i / u.strideWidth;
  let x = i % u.strideWidth;
  // Taps (first, first + stride, ...) are those that reach pixels of the phase.
  let tap = vec2<u32>((y + u.padTop) % u.strideHeight, (x + u.padLeft) % u.strideWidth);
  let taps = (vec2<u32>(u.kernelHeight + u.strideHeight, u.kernelWidth + u.strideWidth) - 1u - tap) /
    vec2<u32>(u.strideHeight, u.strideWidth);
  return Phase(y, x, (u.height + u.strideHeight - 1u) / u.strideHeight,
    (u.width + u.strideWidth - 1u) / u.strideWidth, tap, taps);
}
// Image, row and column of a pixel of the phase.
fn place_of(m: u32) -> vec3<u32> {
  return vec3<u32>(m / (here.height * here.width),
    m / here.width % here.height * u.strideHeight + here.y,
    m % here.width * u.strideWidth + here.x);
}
fn pixel_of(m: u32) -> vec3<i32> {
  let place = place_of(m);
  return vec3<i32>(vec3<u32>(place.x * u.outHeight * u.outWidth, place.y + u.padTop,
    place.z + u.padLeft));
}
// Row, column and number of the tap; output channel.
fn tap_of(k: u32) -> vec4<u32> {
  let t = k / group_out;
  let tap = here.tap + vec2<u32>(t / here.taps.y * u.strideHeight, t % here.taps.y * u.strideWidth);
  return vec4<u32>(tap.x * u.dilationHeight, tap.y * u.dilationWidth, tap.x * u.kernelWidth + tap.y,
    first_out + k % group_out);
}
fn gradient_at(pixel: vec3<i32>, tap: vec4<u32>, inside: bool) -> ${floatType(d)} {
  let top = pixel.y - i32(tap.x);
  let left = pixel.z - i32(tap.y);
  let h = top / i32(u.strideHeight);
  let w = left / i32(u.strideWidth);
  let there = inside && top >= 0 && left >= 0 && h < i32(u.outHeight) && w < i32(u.outWidth);
  return load_D(u32((pixel.x + h * i32(u.outWidth) + w) * i32(u.outChannels)) + tap.w, there);
}
fn filter_at(n: u32, tap: vec4<u32>, inside: bool) -> ${floatType(d)} {
  return load_F((tap.z * group_in + n) * u.outChannels + tap.w, inside);
}`,
    setup: `
${takeGroup(gemm)}
let phase = phase_of(z / ${parts * geometry.groups}u); // rather than here: barriers depend on it
here = phase;
let pixels = u.batch * phase.height * phase.width;
let end = min(phase.taps.x * phase.taps.y * group_out, (part + 1u) * u.depth);`,
    sizes: { rows: "pixels", columns: "group_in", from: "part * u.depth", to: "end" },
    a: {
      fours: d === 4 ? "terms" : "none",
      row: "pixel_of",
      term: "tap_of",
      value: "gradient_at",
    },
    b: { fours: d === 4 ? "terms" : "none", row: "same", term: "tap_of", value: "filter_at" },
    store: {
      width: c,
      statement: `
let place = place_of(m);
if (place.y < u.height && place.z < u.width) {
  let row = (part * u.batch + place.x) * u.height + place.y;
  C[((row * u.width + place.z) * u.channels + first_in + n) / ${c}u] = value;
}`,
    },
    tile,
  });
}

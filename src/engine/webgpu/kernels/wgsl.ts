/** Small helpers for writing unrolled WGSL. */

/** `text(0) ... text(count - 1)`, a line each. */
export function each(count: number, text: (i: number) => string): string {
  return Array.from({ length: count }, (_, i) => text(i)).join("\n");
}

/** The values for 0 ... count - 1. */
export function listOf<T>(count: number, value: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => value(i));
}

/** Component of a vector. */
export const COMPONENT = ["x", "y", "z", "w"] as const;

/** `f32` or `vec4<f32>`. */
export function floatType(width: number): string {
  return width === 4 ? "vec4<f32>" : "f32";
}

/** 4 when all sizes are multiples of 4, else 1: the widest load of rows of these lengths. */
export function vectorWidth(...sizes: number[]): 1 | 4 {
  return sizes.every((size) => size % 4 === 0) ? 4 : 1;
}

/** Declares storage bindings from 0 on: reads, then writes. */
export function storage(
  reads: Record<string, string>,
  writes: Record<string, string>,
): string {
  const declare = (access: string, offset: number) => ([name, type]: [string, string], i: number) =>
    `@group(0) @binding(${offset + i}) var<storage, ${access}> ${name}: array<${type}>;`;
  const count = Object.keys(reads).length;
  return [
    ...Object.entries(reads).map(declare("read", 0)),
    ...Object.entries(writes).map(declare("read_write", count)),
  ].join("\n");
}

/** Declares the uniform block `u` of unsigned integers at a binding. */
export function uniforms(names: string[], binding: number): string {
  return `struct Uniforms { ${names.map((name) => `${name}: u32`).join(", ")} };
@group(0) @binding(${binding}) var<uniform> u: Uniforms;`;
}

/** The same block as constants of the program: what is computed from them alone costs nothing. */
export function constants(names: string[], values: number[]): string {
  return `struct Uniforms { ${names.map((name) => `${name}: u32`).join(", ")} };
const u = Uniforms(${values.map((value) => `${value}u`).join(", ")});`;
}

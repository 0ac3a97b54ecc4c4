/** Reads the attributes of a kernel, checking their types. */
import type { KernelNode } from "./kernel_graph.ts";

type Attributes = KernelNode["attributes"];

/** A number. */
export function numberAttribute(attributes: Attributes, name: string, missing?: number): number {
  const value = attributes[name] ?? missing;
  if (typeof value !== "number") throw wrong(name, "a number", value);
  return value;
}

/** A flag; false where it is missing. */
export function flagAttribute(attributes: Attributes, name: string): boolean {
  return Boolean(attributes[name]);
}

/** A list of numbers. */
export function numbersAttribute(attributes: Attributes, name: string): number[] {
  const value = attributes[name];
  if (!Array.isArray(value) || !value.every((item) => typeof item === "number")) {
    throw wrong(name, "a list of numbers", value);
  }
  return value;
}

/** Two numbers, given as a pair or as one number for both. */
export function pairAttribute(
  attributes: Attributes,
  name: string,
  missing?: number,
): [number, number] {
  const value = attributes[name] ?? missing;
  if (typeof value === "number") return [value, value];
  const numbers = numbersAttribute(attributes, name);
  if (numbers.length !== 2) throw wrong(name, "two numbers", value);
  return [numbers[0], numbers[1]];
}

/** Three numbers, given as a list or as one number for all. */
export function tripleAttribute(
  attributes: Attributes,
  name: string,
  missing?: number,
): [number, number, number] {
  const value = attributes[name] ?? missing;
  if (typeof value === "number") return [value, value, value];
  const numbers = numbersAttribute(attributes, name);
  if (numbers.length !== 3) throw wrong(name, "three numbers", value);
  return [numbers[0], numbers[1], numbers[2]];
}

/** A list of `[before, after]` pairs. */
export function paddingsAttribute(attributes: Attributes, name: string): [number, number][] {
  const value = attributes[name];
  if (!Array.isArray(value)) throw wrong(name, "a list of pairs", value);
  return value as [number, number][];
}

/** A string, or undefined where it is missing. */
export function textAttribute(attributes: Attributes, name: string): string | undefined {
  const value = attributes[name];
  if (value !== undefined && value !== null && typeof value !== "string") {
    throw wrong(name, "a string", value);
  }
  return value ?? undefined;
}

function wrong(name: string, expected: string, found: unknown): TypeError {
  return new TypeError(`Kernel attribute ${name} is ${JSON.stringify(found)}, not ${expected}`);
}

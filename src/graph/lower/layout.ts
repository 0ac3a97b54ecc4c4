/**
 * Arithmetic of layouts. A layout is an `order`: the physical axis `k` of a tensor holds its logical
 * axis `order[k]`. So a logical NHWC image with order `[0, 3, 1, 2]` lies in memory as NCHW.
 */
import { elementCount } from "../../bytes.ts";
import type { ConstantData } from "../trace/kernel_graph.ts";

/** NHWC images in memory as NCHW. */
export const NCHW: readonly number[] = [0, 3, 1, 2];

/** HWIO filters in memory as OIHW. */
export const OIHW: readonly number[] = [3, 2, 0, 1];

/** The numbers 0 ... count - 1. */
export function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

/** Whether physical and logical axes are the same. */
export function isIdentityOrder(order: readonly number[]): boolean {
  return order.every((axis, index) => axis === index);
}

/** Dimensions in physical order. */
export function arrange(dims: readonly number[], order: readonly number[]): number[] {
  return order.map((axis) => dims[axis]);
}

/** Copies the elements of a row-major tensor into another order of axes. */
export function permuteData<T extends ConstantData>(
  data: T,
  shape: readonly number[],
  order: readonly number[],
): T {
  if (isIdentityOrder(order)) return data;
  const result = new (data.constructor as new (size: number) => T)(data.length);
  const strides = range(shape.length).map((axis) => elementCount(shape.slice(axis + 1)));
  const dims = arrange(shape, order);
  const steps = arrange(strides, order);
  const last = dims.length - 1;
  const position = dims.map(() => 0);
  let source = 0;
  for (let index = 0; index < data.length;) {
    const step = steps[last];
    for (let k = 0; k < dims[last]; k++) result[index++] = data[source + k * step];
    for (let axis = last - 1; axis >= 0; axis--) {
      source += steps[axis];
      if (++position[axis] < dims[axis]) break;
      source -= steps[axis] * dims[axis];
      position[axis] = 0;
    }
  }
  return result;
}

/** The order that leads back: `arrange(arrange(dims, order), inverse(order))` is `dims`. */
export function inverse(order: readonly number[]): number[] {
  return order.map((_, axis) => order.indexOf(axis));
}

/**
 * The layout that a reshaped tensor has when its elements stay where they are in memory, or null when
 * they would have to move.
 *
 * Old and new axes fall into groups of the same size. The elements may stay where each group's old
 * axes lie beside each other in memory and in their logical order; axes of length 1 lie anywhere.
 */
export function reshapeOrder(
  from: readonly number[],
  order: readonly number[],
  to: readonly number[],
): number[] | null {
  if (isIdentityOrder(order)) return range(to.length);
  const groups = matchGroups(from, to);
  const physical = order.filter((axis) => from[axis] !== 1);
  const result: number[] = [];
  const done = new Set<number>();
  for (let at = 0; at < physical.length;) {
    const group = groups.find(({ old }) => old.includes(physical[at]))!;
    const wanted = group.old.filter((axis) => from[axis] !== 1);
    if (!wanted.every((axis, index) => physical[at + index] === axis)) return null;
    at += wanted.length;
    result.push(...group.new);
    group.new.forEach((axis) => done.add(axis));
  }
  range(to.length).forEach((axis) => {
    if (!done.has(axis)) insertUnitAxis(result, axis);
  });
  return result;
}

/** Puts an axis of length 1 where it disturbs least: behind the axis that logically comes before it. */
function insertUnitAxis(order: number[], axis: number): void {
  order.splice(order.indexOf(axis - 1) + 1, 0, axis);
}

/** Splits two shapes of the same size into the smallest runs of axes of equal products. */
function matchGroups(
  from: readonly number[],
  to: readonly number[],
): { old: number[]; new: number[] }[] {
  const groups: { old: number[]; new: number[] }[] = [];
  for (let i = 0, j = 0; i < from.length && j < to.length;) {
    const group = { old: [i], new: [j] };
    let left = from[i++];
    let right = to[j++];
    while (left !== right) {
      if (left < right) {
        group.old.push(i);
        left *= from[i++];
      } else {
        group.new.push(j);
        right *= to[j++];
      }
    }
    groups.push(group);
  }
  return groups;
}

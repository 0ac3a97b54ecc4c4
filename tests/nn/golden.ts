/** Reads PyTorch's figures (fixtures/pytorch) and compares ours with them. */
import { assert, assertEquals } from "@std/assert";
import { tf } from "../../src/tensor/tf.ts";
import { openWebGpu } from "../../src/engine/webgpu/device.ts";
import { registerOwnKernels } from "../../src/engine/webgpu/kernels/mod.ts";
import { fillNormal, fillUniform, pcg4d } from "../../src/random/counter_random.ts";

/** An array's norm, and its entries: all, or a sample of a large one. */
export interface Summary {
  norm: number;
  values: number[];
}

/** Summaries by name. */
export type Summaries = Record<string, Summary>;

/** The cases of one golden file. */
export function readGolden<Case>(name: string): Case[] {
  const file = new URL(`../../fixtures/pytorch/${name}.json`, import.meta.url);
  return JSON.parse(Deno.readTextFileSync(file));
}

/** The seed of the layers', losses', penalties' and optimizers' inputs. */
export const GOLDEN_SEED = 7;

/** U[0, 1) values plus `shift`, as the golden files' script draws them. */
export function uniformAt(shape: number[], stream: number, step = 0, shift = 0): Float32Array {
  const values = new Float32Array(tf.util.sizeFromShape(shape));
  return fillUniform(values, { seed: GOLDEN_SEED, stream, step }).map((value) => value + shift);
}

/** N(0, 1) numbers. */
export function normalAt(shape: number[], stream: number): Float32Array {
  const values = new Float32Array(tf.util.sizeFromShape(shape));
  return fillNormal(values, { seed: GOLDEN_SEED, stream, step: 0 });
}

const SAMPLES = 64;

function summarize(data: ArrayLike<number>): Summary {
  let squares = 0;
  for (let i = 0; i < data.length; i++) squares += data[i] ** 2;
  const values = data.length <= SAMPLES
    ? Array.from(data)
    : Array.from({ length: SAMPLES }, (_, k) => data[pcg4d(k, data.length, 0, 0)[0] % data.length]);
  return { norm: Math.sqrt(squares), values };
}

/**
 * Asserts that an array is PyTorch's: its norm and each of its entries, to `tolerance` times the
 * largest known entry.
 * @param floor differences below this are rounding: the array is 0 where exact
 */
export function assertMatches(
  actual: ArrayLike<number>,
  expected: Summary,
  what: string,
  { tolerance = 1e-4, floor = 1e-6 }: { tolerance?: number; floor?: number } = {},
): void {
  const found = summarize(actual);
  assertEquals(found.values.length, expected.values.length, `${what}: number of entries`);
  const scale = expected.values.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  const allowed = tolerance * scale + floor;
  expected.values.forEach((value, i) => {
    const difference = Math.abs(found.values[i] - value);
    assert(
      difference <= allowed,
      `${what}: entry ${i} is ${found.values[i]}, PyTorch has ${value} (scale ${scale})`,
    );
  });
  const allowedNorm = tolerance * expected.norm + floor * Math.sqrt(actual.length);
  assert(
    Math.abs(found.norm - expected.norm) <= allowedNorm,
    `${what}: norm is ${found.norm}, PyTorch has ${expected.norm}`,
  );
}

/**
 * Asserts that the same names are there and that each array matches. A millionth of the largest number
 * of them all is rounding: where exact arithmetic gives 0 (a bias before batch norm, say), float32 does not.
 */
export function assertAllMatch(
  actual: Record<string, ArrayLike<number>>,
  expected: Summaries,
  what: string,
): void {
  assertEquals(Object.keys(actual).sort(), Object.keys(expected).sort(), what);
  const all = Object.values(expected).flatMap(({ values }) => values);
  const floor = 1e-6 * all.reduce((max, value) => Math.max(max, Math.abs(value)), 1);
  for (const [name, summary] of Object.entries(expected)) {
    assertMatches(actual[name], summary, `${what}: ${name}`, { floor });
  }
}

/** Reads tensors for {@linkcode assertAllMatch}. */
export async function valuesOf(
  tensors: Record<string, tf.Tensor>,
): Promise<Record<string, ArrayLike<number>>> {
  const entries = Object.entries(tensors).map(async ([name, t]) => [name, await t.data()] as const);
  return Object.fromEntries(await Promise.all(entries));
}

const webGpu = await openWebGpu();
if (webGpu) registerOwnKernels();

/**
 * Registers a test for the cpu backend and one for webgpu. Where there is no adapter the second is
 * ignored and its name says so.
 */
export function testOnBackends(name: string, run: () => Promise<void> | void): void {
  const register = (backend: string, ignore: boolean): void => {
    Deno.test({
      name: `${name} (${backend}${ignore ? ": no adapter" : ""})`,
      ignore,
      async fn() {
        await tf.setBackend(backend);
        await run();
        webGpu?.check();
      },
    });
  };
  register("cpu", false);
  register("webgpu", webGpu === undefined);
}

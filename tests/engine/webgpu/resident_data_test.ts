import { assert, assertEquals, assertRejects } from "@std/assert";
import { imageSource } from "../../../src/data/source.ts";
import { gatherRows } from "../../../src/engine/sample_pool.ts";
import type { SamplePool, StepProgram } from "../../../src/engine/types.ts";
import type { HostTensors } from "../../../src/tensor/types.ts";
import type { WebGpuStep } from "../../../src/engine/webgpu/compiled_step.ts";
import { createWebGpuEngine, type WebGpuEngineOptions } from "../../../src/engine/webgpu/engine.ts";
import { poolFits } from "../../../src/engine/webgpu/memory.ts";
import { fillBits } from "../../../src/random/counter_random.ts";
import { fromFile, withFolder } from "../../data/helpers.ts";
import { test, withWebGpu } from "./helpers.ts";
import { tinyBatches, tinyProgram, tinyState } from "./tiny_gan.ts";

const byteValues = Float32Array.from({ length: 256 }, (_, byte) => byte / 127.5 - 1);

/** Bytes that look random. */
function randomBytes(count: number): Uint8Array {
  const words = fillBits(new Uint32Array(Math.ceil(count / 4)), { seed: 5, stream: 1, step: 0 });
  return new Uint8Array(words.buffer, 0, count);
}

/** A step that shows its batch: the state is the batch of the last step. */
function mirror(pool: SamplePool, samples: number) {
  const shape = [samples, pool.rowSize * (pool.rowsPerSample ?? 1)];
  const program: StepProgram = {
    inputs: { real: { shape, dtype: "float32", pool } },
    step: (_, { real }) => ({ state: { seen: real }, scalars: {} }),
  };
  const data = new Float32Array(shape[0] * shape[1]);
  const state: HostTensors = { seen: { shape, dtype: "float32", data } };
  return { program, state };
}

/** What steps with these row numbers see, as bits; runs them all in one call. */
async function bitsSeen(
  pool: SamplePool,
  numbers: Uint32Array[],
  options: WebGpuEngineOptions = {},
): Promise<{ bits: Uint32Array; residentBytes: number }> {
  const { program, state } = mirror(pool, numbers[0].length / (pool.rowsPerSample ?? 1));
  const engine = await createWebGpuEngine(options);
  const step = await engine.compileStep(program, state, 1) as WebGpuStep;
  await step.run(numbers.map((real) => ({ real })), 0);
  const { data } = (await step.readState()).seen;
  const { residentBytes } = step;
  await engine.dispose();
  return { bits: new Uint32Array(data.buffer, data.byteOffset, data.length), residentBytes };
}

/** The bits that the host gathers. */
function expectedBits(pool: SamplePool, numbers: Uint32Array): Uint32Array {
  const out = new Float32Array(numbers.length * pool.rowSize);
  gatherRows(out, pool, numbers);
  return new Uint32Array(out.buffer);
}

test("a pool on the device gives each of the 256 bytes the bits of x / 127.5 - 1", () =>
  withWebGpu(async () => {
    const pixels = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const { stored } = imageSource(pixels, { name: "x", description: "x", shape: [16, 16, 1] });
    const { bits, residentBytes } = await bitsSeen(stored!, [Uint32Array.of(0)]);
    const expected = Float32Array.from(pixels, (byte) => Math.fround(byte / 127.5 - 1));
    assertEquals(bits, new Uint32Array(expected.buffer));
    assertEquals(residentBytes, 256 + 4 + 1024); // pixels, one row number, the table
  }));

for (const rowSize of [1, 3, 4, 5, 30]) {
  for (const rowsPerSample of [1, 3]) {
    const title = `rows of ${rowSize}, ${rowsPerSample} a sample, are gathered as on the host`;
    test(title, () =>
      withWebGpu(async () => {
        const steps = [[0, 1, 2, 3, 4, 5], [6, 0, 6, 5, 2, 4]]
          .map((rows) => Uint32Array.from(rows.slice(0, 2 * rowsPerSample)));
        const options = { rowSize, rowsPerSample };
        const bytes = { rows: randomBytes(7 * rowSize), byteValues, ...options };
        assertEquals((await bitsSeen(bytes, steps)).bits, expectedBits(bytes, steps[1]));
        const floats = { rows: Float32Array.from(bytes.rows, (byte) => byte / 3), ...options };
        assertEquals((await bitsSeen(floats, steps)).bits, expectedBits(floats, steps[1]));
      }));
  }
}

test("a pool of floats keeps NaN, infinities, -0 and values that devices flush to 0", () =>
  withWebGpu(async () => {
    const rows = new Float32Array(9);
    const words = [0x7fc12345, 0xffc00001, 0x7f800000, 0xff800000, 0x80000000, 1, 0x807fffff, 0, 2];
    new Uint32Array(rows.buffer).set(words);
    const { bits } = await bitsSeen({ rows, rowSize: 3 }, [Uint32Array.of(2, 0, 1)]);
    assertEquals([...bits], [...words.slice(6), ...words.slice(0, 6)]);
  }));

test("a pool that is uploaded in several pieces is whole", () =>
  withWebGpu(async () => {
    const rowSize = 1_500_001;
    const pool = { rows: randomBytes(24 * rowSize), rowSize, byteValues };
    const numbers = Uint32Array.of(23, 22);
    const { bits, residentBytes } = await bitsSeen(pool, [numbers]);
    assertEquals(residentBytes, 24 * rowSize + 8 + 1024);
    const expected = expectedBits(pool, numbers);
    assert(bits.every((word, i) => word === expected[i]), "the batch differs from the host's");
  }));

for (const [rowSize, picked] of [[1, 2_097_152 + 65], [33, 65_537]]) {
  test(`${picked} rows of ${rowSize} are gathered, more than workgroups go along an axis`, () =>
    withWebGpu(async () => {
      const pool = { rows: randomBytes(50 * rowSize), rowSize, byteValues };
      const numbers = Uint32Array.from({ length: picked }, (_, i) => (7 * i + (i >> 8)) % 50);
      const { bits } = await bitsSeen(pool, [numbers]);
      const expected = expectedBits(pool, numbers);
      assert(bits.every((word, i) => word === expected[i]), "the batch differs from the host's");
    }));
}

test("data that do not fit beside the step are streamed, with the same bits", () =>
  withWebGpu(async () => {
    const pool = { rows: randomBytes(7 * 30), rowSize: 30, byteValues };
    const numbers = [Uint32Array.of(1, 2), Uint32Array.of(6, 4)];
    const { program, state } = mirror(pool, 2);
    const engine = await createWebGpuEngine();
    const step = await engine.compileStep(program, state, 1) as WebGpuStep;
    const needed = step.executable.totalBytes + 2 * step.residentBytes;
    await engine.dispose();
    const fitting = await bitsSeen(pool, numbers, { memoryBytes: needed });
    assertEquals(fitting.residentBytes, 212 + 8 + 1024);
    const streamed = await bitsSeen(pool, numbers, { memoryBytes: needed - 1 });
    assertEquals(streamed.residentBytes, 0);
    assertEquals(streamed.bits, fitting.bits);
    assertEquals(streamed.bits, expectedBits(pool, numbers[1]));
  }));

test("data in a file are put on the device where they fit, and streamed where not", () =>
  withWebGpu(() =>
    withFolder(async (folder) => {
      for (const side of [3, 4]) { // rows of 9 bytes, and of whole words
        const parts = { name: `of-${side}`, description: "x", shape: [side, side, 1] };
        const data = imageSource(randomBytes(700 * side * side), parts);
        const file = await fromFile(data, folder);
        const numbers = [Uint32Array.of(1, 2), Uint32Array.of(6, 4)];
        try {
          const resident = await bitsSeen(file.stored!, numbers);
          assert(resident.residentBytes >= 700 * side * side);
          assertEquals(resident.bits, expectedBits(data.stored!, numbers[1]));
          const streamed = await bitsSeen(file.stored!, numbers, { memoryBytes: 3000 });
          assertEquals(streamed.residentBytes, 0);
          assertEquals(streamed.bits, resident.bits);
        } finally {
          file.close?.();
        }
      }
    })
  ));

Deno.test("poolFits() heeds the device's limits on a buffer, and 32-bit indices", () => {
  const fits = (bytes: number, maxBufferSize: number, maxStorageBufferBindingSize: number) =>
    poolFits({ maxBufferSize, maxStorageBufferBindingSize }, {
      largestBytes: bytes,
      totalBytes: bytes + 1032,
    }, undefined);
  assertEquals([fits(128, 128, 200), fits(132, 128, 200), fits(132, 200, 128)], [
    true,
    false,
    false,
  ]);
  assertEquals([fits(2 ** 32 - 4, 2 ** 40, 2 ** 40), fits(2 ** 32, 2 ** 40, 2 ** 40)], [
    true,
    false,
  ]);
});

/** Calls of a method are noted and made; gives a function that ends this. */
function watch<T extends object>(
  target: T,
  name: keyof T & string,
  note: (args: unknown[], result: unknown) => unknown,
): () => void {
  const call = target[name] as (...args: unknown[]) => unknown;
  (target as Record<string, unknown>)[name] = (...args: unknown[]) => {
    const result = call.apply(target, args);
    return note(args, result) ?? result;
  };
  return () => void ((target as Record<string, unknown>)[name] = call);
}

test("data are streamed where the device has no memory for them, and nothing is kept", () =>
  withWebGpu(async ({ device }) => {
    const open = openBuffers(device);
    let scopes = 0;
    const end = watch(
      device,
      "popErrorScope",
      (_, error) =>
        (error as Promise<unknown>).then((found) => ++scopes === 2 ? new Error("too much") : found),
    );
    try {
      const pool = { rows: randomBytes(12), rowSize: 3, byteValues };
      const numbers = [Uint32Array.of(3, 0)];
      const { bits, residentBytes } = await bitsSeen(pool, numbers);
      assertEquals([scopes, residentBytes], [3, 0]); // the step, all rows, a step's rows
      assertEquals(bits, expectedBits(pool, numbers[0]));
      assertEquals(open.buffers.size, 0);
    } finally {
      end();
      open.end();
    }
  }));

/** The buffers that are made from now on and not yet destroyed. */
function openBuffers(device: GPUDevice): { buffers: Set<GPUBuffer>; end(): void } {
  const buffers = new Set<GPUBuffer>();
  const end = watch(device, "createBuffer", (_, made) => {
    const buffer = made as GPUBuffer;
    buffers.add(buffer);
    watch(buffer, "destroy", () => void buffers.delete(buffer));
  });
  return { buffers, end };
}

test("a replayed step uploads row numbers instead of samples, and gives the same weights", () =>
  withWebGpu(async ({ device }) => {
    const batch = 7;
    const dataSize = 5;
    const rows = tinyBatches(40, 0, 1)[0].real; // forty samples
    const pool = { rows, rowSize: dataSize };
    const numbers = (step: number) =>
      Uint32Array.from({ length: batch }, (_, i) => (9 * step + 4 * i) % 40);
    const program = tinyProgram(batch);
    const { real } = program.inputs;
    const pooled = { ...program, inputs: { ...program.inputs, real: { ...real, pool } } };
    const open = openBuffers(device);

    async function train(
      program: StepProgram,
      sample: (step: number) => Float32Array | Uint32Array,
    ) {
      const engine = await createWebGpuEngine();
      const step = await engine.compileStep(program, tinyState(), 42) as WebGpuStep;
      let uploaded = 0;
      const end = watch(device.queue, "writeBuffer", ([, , data, , size]) => {
        uploaded += (size as number | undefined) ?? (data as Uint32Array).byteLength;
      });
      const batches = tinyBatches(batch, 0, 4).map((given, k) => ({ ...given, real: sample(k) }));
      const scalars = await step.run(batches, 0);
      end();
      const state = await step.readState();
      const { residentBytes } = step;
      await engine.dispose();
      return { scalars, state, uploaded, residentBytes };
    }

    const streamed = await train(program, (step) => {
      const values = new Float32Array(batch * dataSize);
      gatherRows(values, pool, numbers(step));
      return values;
    });
    const resident = await train(pooled, numbers);
    const clock = 16;
    const rates = 3 * 4;
    assertEquals(streamed.uploaded, clock + 4 * (rates + 4 * batch * dataSize));
    assertEquals(resident.uploaded, clock + 4 * (rates + 4 * batch));
    assertEquals([streamed.residentBytes, resident.residentBytes], [0, 800 + 4 * batch]);
    assertEquals(resident.scalars, streamed.scalars);
    assertEquals(resident.state, streamed.state);
    assertEquals(open.buffers.size, 0);
    open.end();
  }));

test("a captured step refuses what are no rows of its pool, resident or not", () =>
  withWebGpu(async () => {
    const { program, state } = mirror({ rows: randomBytes(12), rowSize: 3, byteValues }, 2);
    for (const memoryBytes of [undefined, 400]) {
      const engine = await createWebGpuEngine({ memoryBytes });
      const step = await engine.compileStep(program, state, 1) as WebGpuStep;
      assertEquals(step.residentBytes > 0, memoryBytes === undefined);
      await assertRejects(
        () => step.run([{ real: Uint32Array.of(4, 0) }], 0),
        RangeError,
        'the pool of input "real" has no row 4: it has 4',
      );
      await assertRejects(
        () => step.run([{ real: new Float32Array(6) }], 0),
        TypeError,
        "must be a Uint32Array of 2 row numbers of its pool, found Float32Array of 6",
      );
      await engine.dispose();
    }
  }));

/**
 * The contract of engines, third part: calls while an earlier one is running, and after dispose().
 */
import { assertEquals } from "@std/assert";
import type { CompiledStep } from "../../../src/engine/types.ts";
import {
  ADDING_STATE,
  assertRefused,
  compileAdding,
  compileDoubling,
  contract,
  integer,
  ONES,
  vector,
} from "./engines.ts";

const BUSY = "while an earlier call is running: await that call first";

contract(
  "a call of a step that is running is refused, and the running one ends",
  async (engine) => {
    const step = await compileAdding(engine);
    const running = step.run([ONES, ONES], 0);
    await Promise.all(
      [
        () => step.run([ONES], 2),
        () => step.readState(),
        () => step.writeState(ADDING_STATE),
      ].map((call) => assertRefused(call, Error, `Cannot use a step ${BUSY}`)),
    );
    assertEquals(await running, { total: Float32Array.of(6, 9) });
    assertEquals((await step.readState()).count, integer(2));
  },
);

contract(
  "a call of a function that is running is refused, and the running one ends",
  async (engine) => {
    const double = await compileDoubling(engine);
    const running = double.run({ x: vector(1, 2, 3) });
    const again = () => double.run({ x: vector(0, 0, 0) });
    await assertRefused(again, Error, `Cannot use a function ${BUSY}`);
    assertEquals(await running, { y: vector(2, 4, 6) });
    assertEquals(await again(), { y: vector(0, 0, 0) });
  },
);

const allCalls = (step: CompiledStep): (() => Promise<unknown>)[] => [
  () => step.run([ONES], 0),
  () => step.run([], 0),
  () => step.readState(),
  () => step.writeState(ADDING_STATE),
];

contract("a step is of no use after dispose(), which may be called twice", async (engine) => {
  const step = await compileAdding(engine);
  await step.run([ONES], 0);
  await step.dispose();
  await step.dispose();
  for (const call of allCalls(step)) {
    await assertRefused(call, Error, "Cannot use a step that was disposed");
  }
});

contract("a function is of no use after dispose(), which may be called twice", async (engine) => {
  const double = await compileDoubling(engine);
  await double.dispose();
  await double.dispose();
  const call = () => double.run({ x: vector(1, 2, 3) });
  await assertRefused(call, Error, "Cannot use a function that was disposed");
});

contract("dispose() waits for the running call", async (engine) => {
  const step = await compileAdding(engine);
  const running = step.run([ONES], 0);
  await Promise.all([step.dispose(), step.dispose()]);
  assertEquals(await running, { total: Float32Array.of(6) });
});

contract(
  "an engine takes its steps and functions with it, and is of no use then",
  async (engine) => {
    const step = await compileAdding(engine);
    const double = await compileDoubling(engine);
    await engine.dispose();
    await engine.dispose();
    await assertRefused(() => step.readState(), Error, "Cannot use a step that was disposed");
    await assertRefused(
      () => double.run({ x: vector(1, 2, 3) }),
      Error,
      "Cannot use a function that was disposed",
    );
    for (const compile of [() => compileAdding(engine), () => compileDoubling(engine)]) {
      await assertRefused(compile, Error, "Cannot use an engine that was disposed");
    }
  },
);

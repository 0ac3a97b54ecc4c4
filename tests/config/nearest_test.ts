import { assertEquals } from "@std/assert";
import { nearestName } from "../../src/config/nearest.ts";

const NAMES = [
  "batchSize",
  "learningRate",
  "learningRateSchedule",
  "auto",
  "webgpu",
  "cpu",
  "ring",
];

const MEANT: [name: string, nearest: string | undefined][] = [
  ["batchsize", "batchSize"], // case
  ["learning_rate", "learningRate"], // separators
  ["lerningRate", "learningRate"], // a missing letter
  ["lr", "learningRate"], // a synonym
  ["batch", "batchSize"],
  ["gpu", "webgpu"], // nearer to cpu by letters
  ["cuda", "webgpu"],
  ["rign", "ring"],
  ["fid", undefined], // short, and near to nothing
  ["zzzzzz", undefined],
  ["constructor", undefined],
];

Deno.test("nearestName() finds what was meant, or nothing", () => {
  for (const [name, nearest] of MEANT) assertEquals(nearestName(name, NAMES), nearest, name);
});

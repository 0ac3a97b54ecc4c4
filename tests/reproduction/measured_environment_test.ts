import { assertEquals } from "@std/assert";
import { measuredEnvironment } from "../../src/reproduction/measured_environment.ts";

Deno.test("measurements run without variables that slow the peer, and say which were left out", () => {
  const all = { PATH: "/bin", OPENBLAS_CORETYPE: "Prescott", OMP_NUM_THREADS: "1" };
  assertEquals(measuredEnvironment(all), {
    env: { PATH: "/bin" },
    unset: ["OPENBLAS_CORETYPE", "OMP_NUM_THREADS"],
  });
});

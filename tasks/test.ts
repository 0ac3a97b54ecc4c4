/**
 * `deno task test`: everything that a change has to pass, in one command. Formatting, lint, types, doc
 * lint, unit and doc tests, end-to-end tests on a real WebGPU adapter and in a real browser; what the
 * machine lacks for them is installed where that is possible and said where it is not. Ends with
 * `N passed, N failed`.
 */
import { checkGroup } from "./test/checks.ts";
import { prepareMachine } from "./test/machine.ts";
import { slowestLines } from "./test/slowest.ts";
import { runTests } from "./test/suites.ts";

/** How many of the slowest tests are listed at the end. */
const SLOWEST = 10;

const filter = Deno.args.filter((arg) => !arg.startsWith("-"));
const env = { ...await prepareMachine(), ...testSeed() };
// The checks use one core for less than a minute, so they run beside the first tests.
const checks = filter.length === 0 ? checkGroup() : Promise.resolve([]);
const [checked, tested] = await Promise.all([checks, runTests(filter, env)]);
const outcomes = [...checked, ...tested];

const passed = outcomes.reduce((sum, outcome) => sum + outcome.passed, 0);
const failed = outcomes.reduce((sum, outcome) => sum + outcome.failed, 0);
const slowest = slowestLines(outcomes.flatMap(({ slow }) => slow), SLOWEST);
if (slowest.length > 0) console.log(`\nThe slowest tests:\n${slowest.join("\n")}`);
const width = Math.max(...outcomes.map((outcome) => outcome.name.length));
console.log("");
for (const { name, passed, failed, ignored, seconds } of outcomes) {
  const skipped = ignored ? `, ${ignored} skipped` : "";
  console.log(
    `${failed ? "FAIL" : "ok  "} ${
      name.padEnd(width)
    }  ${passed} passed, ${failed} failed${skipped}` +
      `  (${seconds.toFixed(0)} s)`,
  );
}
console.log(`\n${passed} passed, ${failed} failed`);
Deno.exit(failed ? 1 : 0);

/** The fresh seed of all property tests of this run, printed so that the run can be repeated. */
function testSeed(): Record<string, string> {
  const variable = "GANFORGE_TEST_SEED";
  const seed = Deno.env.get(variable) ?? String(crypto.getRandomValues(new Int32Array(1))[0]);
  console.log(`property tests: fresh seed ${seed}; ${variable}=${seed} repeats it`);
  return { [variable]: seed };
}

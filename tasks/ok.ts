/** `deno task ok`: the checks that take seconds: formatting, lint, types, doc lint, publish dry run. */
import { checkGroup } from "./test/checks.ts";

const outcomes = await checkGroup();
const failed = outcomes.filter((outcome) => outcome.failed);
console.log(`\n${outcomes.length - failed.length} passed, ${failed.length} failed`);
Deno.exit(failed.length ? 1 : 0);

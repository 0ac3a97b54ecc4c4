/** Which tests take longest, as `deno test` prints it. */

/** A test and how long it took. */
export interface TestTime {
  name: string;
  seconds: number;
}

/** The tests of a second or more in what `deno test` printed, without colors. */
export function testTimes(output: string): TestTime[] {
  const lines = output.matchAll(/^(.*) \.\.\. (?:ok|FAILED) \((?:(\d+)m)?(\d+)s\)\s*$/gm);
  return [...lines].map(([, name, minutes = "0", seconds]) => ({
    name,
    seconds: 60 * Number(minutes) + Number(seconds),
  }));
}

/** The slowest tests, the slowest first, a line each. */
export function slowestLines(times: readonly TestTime[], count: number): string[] {
  return [...times].sort((a, b) => b.seconds - a.seconds).slice(0, count)
    .map(({ name, seconds }) => `${String(seconds).padStart(5)} s  ${name}`);
}

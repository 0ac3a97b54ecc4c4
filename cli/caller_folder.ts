/**
 * Where a command was given: `deno task` runs in the repository and says in INIT_CWD where its user stands.
 */
import { UserError } from "../src/errors.ts";

/** The variable that `deno task` sets. */
const CALLER = "INIT_CWD";

/**
 * Makes the folder in which a command was given the current one, so that every path is meant from there.
 * Nothing changes where the process was started elsewhere than in the repository: then `deno task` did
 * not start it, and an INIT_CWD is what a parent left.
 * @param repository where `deno task` runs commands
 * @throws {UserError} when that folder is no longer there
 */
export function enterCallerFolder(repository: URL): void {
  const { state } = Deno.permissions.querySync({ name: "env", variable: CALLER });
  const caller = state === "granted" ? Deno.env.get(CALLER) : undefined;
  if (!caller || repository.protocol !== "file:") return;
  try {
    if (Deno.realPathSync(".") !== Deno.realPathSync(repository)) return;
    Deno.chdir(caller);
  } catch (error) {
    throw new UserError(
      `Cannot run in ${caller}, where ${CALLER} says that the command was given: ` +
        (error as Error).message,
      { cause: error },
    );
  }
}

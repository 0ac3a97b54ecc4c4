/** Commands that run as several ranks: who prints, and how a failure of one ends all. */
import type { Communicator } from "../src/distributed/communicator.ts";
import { detectLaunch, type Launch } from "../src/distributed/launch.ts";
import { type DistributedChoice, openCommunicator } from "../src/distributed/open.ts";
import type { OptionSpec, ParsedCommand } from "./command_types.ts";

/** The option of commands that may run as several ranks. */
export const DISTRIBUTED_OPTION: Record<string, OptionSpec> = {
  distributed: {
    value: "mpi|off",
    help: "join the processes that mpirun or srun has started, or not (default: detected)",
  },
};

let joined: Communicator | undefined;

/**
 * Joins the ranks that a launcher has started.
 * @throws {UserError} when they cannot be joined
 */
export function openRanks(command: ParsedCommand): Communicator {
  const choice: DistributedChoice = command.choice("distributed", ["mpi", "off"]) ?? "auto";
  return joined = openCommunicator(choice);
}

/**
 * Ends the collaboration in good order, once all ranks are done.
 * @param isStopped whether a signal has ended them: a launcher that stops its processes no longer takes
 * part in a farewell
 */
export async function leaveRanks(isStopped: boolean): Promise<void> {
  if (!joined) return;
  await joined.barrier();
  if (!isStopped) joined.close();
  joined = undefined;
}

/** Rank 0 speaks first of a mistake that all ranks make alike; what it ends has nothing more to say. */
const LATER_MS = 1500;

/**
 * Waits until it is this process's turn to say what has failed.
 * @returns what goes before the message: nothing for a process alone
 */
export async function rankPrefix(): Promise<string> {
  const launch = joined ? undefined : readLaunch();
  const rank = joined?.rank ?? launch?.rank ?? 0;
  const size = joined?.size ?? launch?.size ?? 1;
  if (size === 1) return "";
  if (rank > 0) await new Promise((resolve) => setTimeout(resolve, LATER_MS));
  return `rank ${rank} of ${size} on ${joined?.host ?? Deno.hostname()}: `;
}

/** Ends this process, and with it all ranks. */
export function endRanks(exitCode: number): never {
  if (joined && joined.size > 1 && exitCode !== 0) joined.abort(exitCode);
  Deno.exit(exitCode);
}

/** What the environment says of a launcher, where this command may read it. */
export function readLaunch(): Launch | undefined {
  return detectLaunch((name) => {
    const { state } = Deno.permissions.querySync({ name: "env", variable: name });
    return state === "granted" ? Deno.env.get(name) : undefined;
  });
}

/** The choice between several processes and one. */
import { UserError } from "../errors.ts";
import { type Communicator, singleProcess } from "./communicator.ts";
import { detectLaunch, type Launch, type ReadVariable } from "./launch.ts";
import { joinRanks } from "./mpi_communicator.ts";
import { LIBRARY_VARIABLE, loadMpi } from "./mpi_library.ts";

/** `"auto"`: several processes where a launcher has started several. */
export type DistributedChoice = "auto" | "mpi" | "off";

/**
 * Joins the ranks that `mpirun` or `srun` has started; a process that was started alone stays alone, and
 * loads no MPI library.
 * @param choice `"mpi"` loads the library whatever the environment says, `"off"` never does
 * @throws {UserError} when there is no MPI library, or it does not see the other processes
 */
export function openCommunicator(choice: DistributedChoice = "auto"): Communicator {
  if (choice === "off") return singleProcess();
  const read: ReadVariable = (name) => Deno.env.get(name);
  const launch = detectLaunch(read);
  if (choice === "auto" && !launch) return singleProcess();
  const path = read(LIBRARY_VARIABLE);
  return joinOnce({ path, launch });
}

/** The ranks of this process: MPI can be entered once. */
let joined: Communicator | undefined;

function joinOnce({ path, launch }: { path?: string; launch: Launch | undefined }): Communicator {
  if (joined) {
    throw new UserError("Cannot join the other processes: this one has joined them already");
  }
  const library = loadMpi({ path, preferAbi: launch?.launcher === "mpiexec" });
  return joined = joinRanks(library, launch);
}

/** Runs programs as several ranks, for tests: Open MPI's mpirun on this machine, as root and on few cores too. */

/** Whether mpirun is here; where it is not, tests over it are ignored, and their names say why. */
export const hasMpirun: boolean = await Deno.permissions.query({ name: "run" })
  .then(() => new Deno.Command("mpirun", { args: ["--version"], stdout: "null", stderr: "null" }))
  .then((command) => command.output())
  .then(({ success }) => success, () => false);

/** Appended to names of tests that need it. */
export const MPIRUN_REASON = hasMpirun ? "" : " (ignored: there is no mpirun)";

/** What mpirun allows only when asked, and no waiting at full speed for cores that others use. */
export const MPI_ENV: Record<string, string> = {
  OMPI_ALLOW_RUN_AS_ROOT: "1",
  OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1",
  OMPI_MCA_rmaps_base_oversubscribe: "1",
  OMPI_MCA_mpi_yield_when_idle: "1",
};

const PERMISSIONS = [
  "--no-prompt",
  "--no-check",
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-sys",
  "--allow-ffi",
];

/** What several ranks printed, and how mpirun ended. */
export interface RanksOutcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** How ranks are started. */
export interface RanksOptions {
  env?: Record<string, string>;
  /** Arguments of mpirun before the program. */
  mpirunArgs?: string[];
}

/** The command that runs a Deno program as `count` ranks. @param args the program and its arguments */
export function ranksCommand(
  count: number,
  args: readonly string[],
  { env = {}, mpirunArgs = [] }: RanksOptions = {},
): Deno.Command {
  return new Deno.Command("mpirun", {
    args: ["-n", String(count), ...mpirunArgs, Deno.execPath(), "run", ...PERMISSIONS, ...args],
    env: { ...MPI_ENV, NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

/** Runs a Deno program as `count` ranks to its end. */
export async function runRanks(
  count: number,
  args: readonly string[],
  options: RanksOptions = {},
): Promise<RanksOutcome> {
  const { code, stdout, stderr } = await ranksCommand(count, args, options).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

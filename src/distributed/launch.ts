/** Who started this process as one of several: read from the environment, before any library is loaded. */

/** What a launcher says about a process. */
export interface Launch {
  /** The program that started it, for messages. */
  launcher: "mpirun" | "srun" | "mpiexec";
  /** Of all processes. */
  rank: number;
  /** How many processes there are; 2 or more. */
  size: number;
  /** Processes on this machine, where the launcher says so. */
  ranksOnHost: number | undefined;
}

/** Reads an environment variable. */
export type ReadVariable = (name: string) => string | undefined;

/**
 * Recognizes Open MPI's `mpirun` (which Kubeflow's MPIJob runs too), Slurm's `srun` inside a step, and the
 * `mpiexec` of MPICH and its relatives.
 * @returns undefined for a process that was started alone
 */
export function detectLaunch(read: ReadVariable): Launch | undefined {
  const count = (name: string): number | undefined => {
    const text = read(name);
    return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
  };
  const found = (
    launcher: Launch["launcher"],
    size: number | undefined,
    { rank, ranksOnHost }: { rank: number | undefined; ranksOnHost: number | undefined },
  ): Launch | undefined =>
    size !== undefined && size > 1 ? { launcher, rank: rank ?? 0, size, ranksOnHost } : undefined;
  const byMpirun = found("mpirun", count("OMPI_COMM_WORLD_SIZE"), {
    rank: count("OMPI_COMM_WORLD_RANK"),
    ranksOnHost: count("OMPI_COMM_WORLD_LOCAL_SIZE"),
  });
  if (byMpirun) return byMpirun;
  // A batch script without srun has SLURM_NTASKS too, but is one process outside of any step.
  if (count("SLURM_STEP_ID") !== undefined) {
    const tasks = count("SLURM_STEP_NUM_TASKS");
    const nodes = count("SLURM_STEP_NUM_NODES") ?? 1;
    const bySrun = found("srun", tasks, {
      rank: count("SLURM_PROCID"),
      ranksOnHost: tasks === undefined ? undefined : Math.ceil(tasks / nodes),
    });
    if (bySrun) return bySrun;
  }
  return found("mpiexec", count("PMI_SIZE"), {
    rank: count("PMI_RANK"),
    ranksOnHost: count("MPI_LOCALNRANKS"),
  });
}

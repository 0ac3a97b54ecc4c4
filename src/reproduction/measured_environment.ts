/**
 * The environment in which engines and their peer are measured: without variables that would slow one of
 * them, such as the kernels of an old CPU that OPENBLAS_CORETYPE chooses.
 */

const SLOWING = [
  "OPENBLAS_CORETYPE",
  "OPENBLAS_NUM_THREADS",
  "GOTO_NUM_THREADS",
  "OMP_NUM_THREADS",
  "OMP_PROC_BIND",
  "OMP_WAIT_POLICY",
  "MKL_NUM_THREADS",
  "MKL_DEBUG_CPU_TYPE",
  "DNNL_MAX_CPU_ISA",
  "ONEDNN_MAX_CPU_ISA",
  "ATEN_CPU_CAPABILITY",
  "CUDA_LAUNCH_BLOCKING",
];

/** The environment of measured processes, and the variables that were left out of it. */
export function measuredEnvironment(
  all: Readonly<Record<string, string>> = Deno.env.toObject(),
): { env: Record<string, string>; unset: string[] } {
  const unset = SLOWING.filter((name) => all[name] !== undefined);
  const env = Object.fromEntries(Object.entries(all).filter(([name]) => !unset.includes(name)));
  return { env, unset };
}

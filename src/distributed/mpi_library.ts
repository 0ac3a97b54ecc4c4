/**
 * The MPI library of this machine through Deno's FFI: Open MPI 4 and 5, whose handles are addresses of
 * symbols, or any library with the standard ABI of MPI 5, whose handles are small numbers. The other
 * libraries, MPICH's own among them, have handles of their own kind.
 */
import { UserError } from "../errors.ts";

const SYMBOLS = {
  MPI_Init_thread: { parameters: ["pointer", "pointer", "i32", "buffer"], result: "i32" },
  MPI_Comm_rank: { parameters: ["pointer", "buffer"], result: "i32" },
  MPI_Comm_size: { parameters: ["pointer", "buffer"], result: "i32" },
  MPI_Get_library_version: { parameters: ["buffer", "buffer"], result: "i32" },
  MPI_Get_processor_name: { parameters: ["buffer", "buffer"], result: "i32" },
  MPI_Allreduce: {
    parameters: ["pointer", "buffer", "i32", "pointer", "pointer", "pointer"],
    result: "i32",
    nonblocking: true,
  },
  MPI_Allgather: {
    parameters: ["buffer", "i32", "pointer", "buffer", "i32", "pointer", "pointer"],
    result: "i32",
    nonblocking: true,
  },
  MPI_Bcast: {
    parameters: ["buffer", "i32", "pointer", "i32", "pointer"],
    result: "i32",
    nonblocking: true,
  },
  MPI_Ibarrier: { parameters: ["pointer", "buffer"], result: "i32" },
  MPI_Test: { parameters: ["buffer", "buffer", "pointer"], result: "i32" },
  MPI_Abort: { parameters: ["pointer", "i32"], result: "i32" },
  MPI_Finalize: { parameters: [], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

const OPEN_MPI_SYMBOLS = {
  ...SYMBOLS,
  ompi_mpi_comm_world: { type: "pointer" },
  ompi_mpi_float: { type: "pointer" },
  ompi_mpi_byte: { type: "pointer" },
  ompi_mpi_op_sum: { type: "pointer" },
} as const satisfies Deno.ForeignLibraryInterface;

/** A loaded library and the handles that the calls take. */
export interface MpiLibrary {
  calls: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];
  world: Deno.PointerValue;
  float: Deno.PointerValue;
  byte: Deno.PointerValue;
  sum: Deno.PointerValue;
  /** `MPI_THREAD_SERIALIZED`: calls come from several threads, one at a time. */
  serialized: number;
}

/** Names of Open MPI's library, then of the standard ABI's, by system. */
const NAMES: Readonly<Record<string, { openMpi: string[]; abi: string[] }>> = {
  linux: {
    openMpi: ["libmpi.so.40"],
    abi: ["libmpi_abi.so.1", "libmpi_abi.so.0", "libmpi_abi.so"],
  },
  darwin: {
    openMpi: [
      "libmpi.40.dylib",
      "/opt/homebrew/lib/libmpi.40.dylib",
      "/usr/local/lib/libmpi.40.dylib",
    ],
    abi: ["libmpi_abi.1.dylib", "libmpi_abi.0.dylib", "libmpi_abi.dylib"],
  },
};

/** Names of MPICH's own library, which is found only to be refused by name. */
const MPICH_NAMES = ["libmpi.so.12", "libmpich.so.12"];

/** The variable that names the library where the system does not find it. */
export const LIBRARY_VARIABLE = "GANFORGE_MPI_LIBRARY";

/**
 * Loads the library.
 * @param options.path the file to load, in place of what the system finds
 * @param options.preferAbi whether the standard ABI comes first, as under MPICH's mpiexec
 * @throws {UserError} when there is none, or only MPICH's own
 */
export function loadMpi(
  { path, preferAbi = false }: { path?: string; preferAbi?: boolean },
): MpiLibrary {
  const { openMpi = [], abi = [] } = NAMES[Deno.build.os] ?? {};
  const attempts = path !== undefined
    ? [() => openOpenMpi(path), () => openAbi(path)]
    : preferAbi
    ? [...abi.map((name) => () => openAbi(name)), ...openMpi.map((name) => () => openOpenMpi(name))]
    : [
      ...openMpi.map((name) => () => openOpenMpi(name)),
      ...abi.map((name) => () => openAbi(name)),
    ];
  const faults: string[] = [];
  for (const attempt of attempts) {
    try {
      return attempt();
    } catch (error) {
      faults.push((error as Error).message.replaceAll(/Could not open library: |\s+(?=\s)/g, ""));
    }
  }
  const task = "Cannot work in several processes";
  if (path === undefined && MPICH_NAMES.some(canOpen)) {
    throw new UserError(
      `${task}: the MPI library here is MPICH's own, whose handles differ from build to build; install ` +
        "Open MPI (on Debian openmpi-bin) and start with its mpirun, or an MPICH with the standard ABI of " +
        `MPI 5 (libmpi_abi), or say --distributed off`,
    );
  }
  const names = [...openMpi, ...abi].join(", ") || `nothing on ${Deno.build.os}`;
  const tried = path === undefined ? names : `${LIBRARY_VARIABLE} (${faults[0].trim()})`;
  throw new UserError(
    `${task}: no MPI library was found, tried ${tried}; install ` +
      `Open MPI (on Debian openmpi-bin), name its library in ${LIBRARY_VARIABLE}, or say --distributed off`,
  );
}

function openOpenMpi(name: string): MpiLibrary {
  const { symbols } = Deno.dlopen(name, OPEN_MPI_SYMBOLS);
  return {
    calls: symbols as unknown as MpiLibrary["calls"],
    world: symbols.ompi_mpi_comm_world,
    float: symbols.ompi_mpi_float,
    byte: symbols.ompi_mpi_byte,
    sum: symbols.ompi_mpi_op_sum,
    serialized: 2,
  };
}

/** The handles are fixed by the MPI 5.0 standard, section 20 (its header `mpi.h`). */
function openAbi(name: string): MpiLibrary {
  if (!name.includes("abi")) {
    throw new Error(`${name} is not named as a library of the standard ABI`);
  }
  const { symbols } = Deno.dlopen(name, SYMBOLS);
  const handle = (value: bigint) => Deno.UnsafePointer.create(value);
  return {
    calls: symbols,
    world: handle(0x101n),
    float: handle(0x210n),
    byte: handle(0x247n),
    sum: handle(0x21n),
    serialized: 2048,
  };
}

function canOpen(name: string): boolean {
  try {
    Deno.dlopen(name, {}).close();
    return true;
  } catch {
    return false;
  }
}

/** Ranks over MPI. One call at a time: MPI is told that calls come from several threads, one after another. */
import { UserError } from "../errors.ts";
import type { Communicator } from "./communicator.ts";
import type { Launch } from "./launch.ts";
import type { MpiLibrary } from "./mpi_library.ts";

/** A waiting rank looks again after so long: at first at once, later ever more seldom. */
const MIN_WAIT_MS = 0.2;
const MAX_WAIT_MS = 20;

/** Enough for any library's name of itself and of a machine. */
const TEXT_BYTES = 8192;

/**
 * Joins the other processes. Blocks until all are there.
 * @throws {UserError} when the library does not see the processes that the launcher has started
 */
export function joinRanks(library: MpiLibrary, launch: Launch | undefined): Communicator {
  const { calls, world, float, byte, sum } = library;
  const number = new Int32Array(1);
  const out = new Uint8Array(number.buffer);
  check(calls.MPI_Init_thread(null, null, library.serialized, out), "MPI_Init_thread");
  const threads = number[0];
  check(calls.MPI_Comm_rank(world, out), "MPI_Comm_rank");
  const rank = number[0];
  check(calls.MPI_Comm_size(world, out), "MPI_Comm_size");
  const size = number[0];
  const version = text((bytes) => calls.MPI_Get_library_version(bytes, out)).split(/[,\n]/)[0];
  const host = text((bytes) => calls.MPI_Get_processor_name(bytes, out));
  const close = () => void calls.MPI_Finalize();
  if (launch && size !== launch.size) {
    close();
    const hint = launch.launcher === "srun"
      ? "start with srun --mpi=pmix (srun --mpi=list says what there is)"
      : "start with the mpirun that belongs to this library";
    throw new UserError(
      `Cannot work in ${launch.size} processes: ${launch.launcher} started ${launch.size}, and the MPI ` +
        `library (${version}) sees ${size}; ${hint}, or say --distributed off`,
    );
  }
  if (threads < library.serialized) {
    close();
    throw new UserError(
      `Cannot work in ${size} processes: the MPI library (${version}) was built without support of ` +
        "threads (MPI_THREAD_SERIALIZED); install one with it",
    );
  }
  const share = 1 / size;
  /** Kept from one exchange to the next: MPI takes several times as long with memory that it has not met. */
  let exchanged = new Float32Array(0);
  const inPlace = Deno.UnsafePointer.create(1n); // MPI_IN_PLACE

  async function broadcast(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    const length = new BigInt64Array([BigInt(bytes.length)]);
    const lengthBytes = new Uint8Array(length.buffer);
    check(await calls.MPI_Bcast(lengthBytes, lengthBytes.length, byte, 0, world), "MPI_Bcast");
    const all = rank === 0 ? bytes.slice() : new Uint8Array(Number(length[0]));
    for (let at = 0; at < all.length; at += MAX_COUNT) {
      const part = all.subarray(at, at + MAX_COUNT);
      check(await calls.MPI_Bcast(part, part.length, byte, 0, world), "MPI_Bcast");
    }
    return all;
  }

  async function allGather(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>[]> {
    const lengths = new Int32Array(size);
    const gather = async (part: Uint8Array, all: Uint8Array<ArrayBuffer>) =>
      check(
        await calls.MPI_Allgather(
          part as Uint8Array<ArrayBuffer>,
          part.length,
          byte,
          all,
          part.length,
          byte,
          world,
        ),
        "MPI_Allgather",
      );
    await gather(
      new Uint8Array(Int32Array.of(bytes.length).buffer),
      new Uint8Array(lengths.buffer),
    );
    const longest = Math.max(...lengths);
    const padded = new Uint8Array(longest);
    padded.set(bytes);
    const all = new Uint8Array(longest * size);
    if (longest > 0) await gather(padded, all);
    return Array.from(
      lengths,
      (length, other) => all.slice(other * longest, other * longest + length),
    );
  }

  return {
    rank,
    size,
    host,
    ranksOnHost: launch?.ranksOnHost ?? 1,
    description: `${size} processes through ${version}`,
    async allReduceMean(values) {
      for (let at = 0; at < values.length; at += MAX_COUNT) {
        const part = values.subarray(at, at + MAX_COUNT);
        if (exchanged.length < part.length) exchanged = new Float32Array(part.length);
        const buffer = exchanged.subarray(0, part.length);
        buffer.set(part);
        check(
          await calls.MPI_Allreduce(
            inPlace,
            new Uint8Array(buffer.buffer, 0, buffer.byteLength),
            buffer.length,
            float,
            sum,
            world,
          ),
          "MPI_Allreduce",
        );
        for (let i = 0; i < part.length; i++) part[i] = buffer[i] * share;
      }
    },
    broadcast,
    allGather,
    async barrier() {
      const request = new Uint8Array(8);
      check(calls.MPI_Ibarrier(world, request), "MPI_Ibarrier");
      for (let waitMs = MIN_WAIT_MS;; waitMs = Math.min(MAX_WAIT_MS, 1.5 * waitMs)) {
        check(calls.MPI_Test(request, out, null), "MPI_Test");
        if (number[0] !== 0) return;
        await new Promise((resolve) => setTimeout(resolve, waitMs));
      }
    },
    abort(exitCode) {
      calls.MPI_Abort(world, exitCode);
      Deno.exit(exitCode);
    },
    close,
  };

  /** What a call writes as a text, whose length it leaves in `number`. */
  function text(fill: (bytes: Uint8Array<ArrayBuffer>) => number): string {
    const bytes = new Uint8Array(TEXT_BYTES);
    check(fill(bytes), "MPI");
    return new TextDecoder().decode(bytes.subarray(0, number[0])).replaceAll("\0", "").trim();
  }
}

/** Elements of one call: counts are 32-bit numbers. */
const MAX_COUNT = 2 ** 28;

/** MPI ends the processes at most errors; what it returns all the same is a bug or a broken network. */
function check(code: number, call: string): void {
  if (code !== 0) throw new Error(`${call} failed with error ${code}`);
}

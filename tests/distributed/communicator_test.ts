/** Ranks over Open MPI on this machine, one alone, and what is refused. */
import { assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import { allGatherJson, singleProcess } from "../../src/distributed/communicator.ts";
import { detectLaunch } from "../../src/distributed/launch.ts";
import { openCommunicator } from "../../src/distributed/open.ts";
import { hasMpirun, MPIRUN_REASON, runRanks } from "./mpirun.ts";

const PROGRAM = new URL("communicator_program.ts", import.meta.url).pathname;

/** A test that needs mpirun. */
function mpiTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name: name + MPIRUN_REASON, ignore: !hasMpirun, fn });
}

mpiTest(
  "three ranks average, broadcast and gather; every run gives every rank the same bits",
  async () => {
    const hashes = new Set<string>();
    for (let run = 0; run < 2; run++) {
      const { code, stdout, stderr } = await runRanks(3, [PROGRAM, "exchange"]);
      assertEquals(code, 0, stderr);
      const lines = stdout.trim().split("\n").map((line) => JSON.parse(line));
      assertEquals(lines.map(({ rank }) => rank).sort(), [0, 1, 2]);
      for (const line of lines) {
        assertEquals(line.size, 3);
        assertLess(line.worst, 1e-7);
        assertEquals(line.sent, [7, 7, 7, 7, 7]);
        assertEquals(line.all, [[0], [1, 1], [2, 2, 2]]);
        assertEquals(line.nothing, [0, 0, 0]);
        assertEquals(line.ticked || line.rank === 1, true, "the event loop stood still");
        hashes.add(line.hash);
      }
    }
    assertEquals(hashes.size, 1);
  },
);

mpiTest("abort() ends all ranks within seconds, with its exit code", async () => {
  const startedAt = performance.now();
  const { code } = await runRanks(2, [PROGRAM, "abort"]);
  assertEquals(code, 42);
  assertLess(performance.now() - startedAt, 15_000);
});

mpiTest("a missing MPI library is said in a line", async () => {
  const env = { GANFORGE_MPI_LIBRARY: "/nowhere/libmpi.so" };
  const { code, stderr } = await runRanks(2, [PROGRAM, "exchange"], { env });
  assertEquals(code !== 0, true);
  assertStringIncludes(
    stderr,
    "Cannot work in several processes: no MPI library was found, tried GANFORGE_MPI_LIBRARY " +
      "(/nowhere/libmpi.so: cannot open shared object file: No such file or directory); install Open MPI (on " +
      "Debian openmpi-bin), name its library in GANFORGE_MPI_LIBRARY, or say --distributed off",
  );
});

mpiTest("a launcher whose processes the library does not see is refused", async () => {
  // Four that a foreign launcher claims, of which Open MPI sees this one alone.
  const { stderr } = await runRanks(1, [PROGRAM, "exchange"], {
    env: { PMI_SIZE: "4", PMI_RANK: "0" },
  });
  assertStringIncludes(
    stderr,
    "Cannot work in 4 processes: mpiexec started 4, and the MPI library",
  );
  assertStringIncludes(stderr, "sees 1; start with the mpirun that belongs to this library");
});

Deno.test("openCommunicator() gives a process of its own a rank of its own, and loads nothing", async () => {
  const { state } = await Deno.permissions.query({ name: "env" });
  assertEquals(state, "granted");
  const ranks = openCommunicator("off");
  assertEquals([ranks.rank, ranks.size], [0, 1]);
  const values = Float32Array.of(1, 2);
  await ranks.allReduceMean(values);
  assertEquals([...values], [1, 2]);
  assertEquals([...await ranks.broadcast(Uint8Array.of(3))], [3]);
  assertEquals(await allGatherJson(singleProcess(), { a: "ä" }), [{ a: "ä" }]);
  await ranks.barrier();
  ranks.close();
});

Deno.test("detectLaunch() recognizes mpirun, srun and mpiexec, and a process that was started alone", () => {
  const launch = (variables: Record<string, string>) => detectLaunch((name) => variables[name]);
  assertEquals(launch({}), undefined);
  assertEquals(launch({ OMPI_COMM_WORLD_SIZE: "1", OMPI_COMM_WORLD_RANK: "0" }), undefined);
  assertEquals(
    launch({
      OMPI_COMM_WORLD_SIZE: "4",
      OMPI_COMM_WORLD_RANK: "3",
      OMPI_COMM_WORLD_LOCAL_SIZE: "2",
    }),
    { launcher: "mpirun", rank: 3, size: 4, ranksOnHost: 2 },
  );
  const step = { SLURM_STEP_NUM_TASKS: "8", SLURM_STEP_NUM_NODES: "2", SLURM_PROCID: "5" };
  assertEquals(launch({ ...step, SLURM_STEP_ID: "0" }), {
    launcher: "srun",
    rank: 5,
    size: 8,
    ranksOnHost: 4,
  });
  assertEquals(launch({ ...step, SLURM_NTASKS: "8" }), undefined, "a batch script is one process");
  assertEquals(launch({ PMI_SIZE: "2", PMI_RANK: "1" }), {
    launcher: "mpiexec",
    rank: 1,
    size: 2,
    ranksOnHost: undefined,
  });
});

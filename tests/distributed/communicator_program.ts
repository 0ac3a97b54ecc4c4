/** Run by communicator_test.ts as several ranks: does what its argument says and prints what came of it. */
import { openCommunicator } from "../../src/distributed/open.ts";
import { sha256 } from "../../src/hash.ts";

const ranks = openCommunicator();
const { rank, size } = ranks;
const say = (value: unknown) => console.log(JSON.stringify(value));

if (Deno.args[0] === "exchange") {
  const values = Float32Array.from({ length: 100_003 }, (_, i) => Math.sin(i * (rank + 1)) / 3);
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  if (rank === 1) await new Promise((resolve) => setTimeout(resolve, 300)); // the others wait
  await ranks.allReduceMean(values);
  clearInterval(timer);
  const expected = Float32Array.from(values, (_, i) => {
    let sum = 0;
    for (let other = 0; other < size; other++) sum += Math.fround(Math.sin(i * (other + 1)) / 3);
    return sum / size;
  });
  let worst = 0;
  values.forEach((value, i) => worst = Math.max(worst, Math.abs(value - expected[i])));
  const sent = await ranks.broadcast(Uint8Array.from({ length: 5 }, () => rank + 7));
  const all = await ranks.allGather(Uint8Array.from({ length: rank + 1 }, () => rank));
  const nothing = await ranks.allGather(new Uint8Array(0));
  await ranks.barrier();
  say({
    rank,
    size,
    worst,
    hash: sha256(new Uint8Array(values.buffer)),
    sent: [...sent],
    all: all.map((bytes) => [...bytes]),
    nothing: nothing.map(({ length }) => length),
    ticked: ticks > 20,
  });
  ranks.close();
} else if (Deno.args[0] === "abort") {
  if (rank === 1) ranks.abort(42);
  await ranks.allReduceMean(new Float32Array(3)); // never ends
}

/** Announces more rows than a reader holds, takes some, and closes it: then the process must end. */
import { RowReader } from "../../src/data/cache/row_reader.ts";

const path = await Deno.makeTempFile();
const rowSums = Uint32Array.of(0x2144df1c); // of four zeros
await Deno.writeFile(path, new Uint8Array(4));
const rows = new RowReader({ path, count: 1, rowSize: 4, rowsOffset: 0, rowSums, isCache: false });
for (let i = 0; i < 500; i++) rows.readAhead(Uint32Array.of(0));
rows.take(Uint32Array.of(0)); // the worker is there, and waits for room
rows.close();
await Deno.remove(path);
console.log("closed");

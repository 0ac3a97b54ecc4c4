/** Opens a data set once and prints seconds and the most memory: run by bench/data.ts, a process each. */
import { openDataSource } from "../../src/data/open.ts";

const [path, side, folder] = Deno.args;
let peak = 0;
const look = () => peak = Math.max(peak, Deno.memoryUsage().rss);
const timer = setInterval(look, 20);
const start = performance.now();
const data = await openDataSource({ source: "auto", path, size: Number(side) }, {
  cache: { folder },
  onProgress: look,
});
const seconds = (performance.now() - start) / 1000;
look();
clearInterval(timer);
data.close?.();
console.log(JSON.stringify({ seconds, megabytes: peak / 1e6, count: data.count }));

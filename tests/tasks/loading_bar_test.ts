import { assertEquals, assertStringIncludes } from "@std/assert";
import { LoadingBar, loadingLine } from "../../tasks/cli/loading_bar.ts";

Deno.test("loadingLine() says how far loading is, its speed, and the time left", () => {
  assertEquals(
    loadingLine({ stage: "decoding", done: 5000, total: 20_000 }, 10),
    "decoding  [######..................]  25%  5,000 of 20,000 images, 500/s, 30 s left",
  );
  assertStringIncludes(
    loadingLine({ stage: "checking", done: 3, total: 300 }, 2),
    "3 of 300 images, 1.5/s, 3:18 left",
  );
});

for (const interactive of [true, false]) {
  Deno.test(`LoadingBar shows after two seconds at the latest, interactive ${interactive}`, () => {
    let clock = 0;
    let text = "";
    const bar = new LoadingBar({
      interactive,
      columns: () => 200,
      write: (part) => text += part,
      now: () => clock,
    });
    for (let done = 1; done <= 100; done++) {
      bar.update({ stage: "checking", done, total: 100 }); // all at once: nothing is shown
    }
    assertEquals(text, "");
    for (let done = 1; done <= 100; done++) {
      bar.update({ stage: "decoding", done, total: 100 });
      if (done * 100 < 1500) assertEquals(text, "");
      if (done * 100 === 2000) assertStringIncludes(text, "decoding");
      clock += 100;
    }
    bar.finish();
    assertStringIncludes(text, "100 of 100 images");
    assertEquals(text.endsWith("\n"), true);
    assertEquals(text.includes("\r"), interactive);
  });
}

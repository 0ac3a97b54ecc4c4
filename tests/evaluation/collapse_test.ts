import { assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import type { ObjectiveName } from "../../src/config/objective.ts";
import { openDataSource } from "../../src/data/open.ts";
import { CollapseWatch } from "../../src/evaluation/collapse.ts";

const data = await openDataSource({ source: "ring-2d", count: 1000 });
const reals = data.batch(Uint32Array.from({ length: 1000 }, (_, i) => i)).values;
/** The data drawn together to their middle. */
const shrunk = (factor: number) => reals.map((value) => 3 + factor * value);
const fair = { dReal: 0.5, dFake: 0.5 };

Deno.test("CollapseWatch.diversity() is the spread beside the data's", () => {
  const watch = new CollapseWatch(data, "non-saturating");
  assertAlmostEquals(watch.diversity(reals), 1, 1e-6);
  assertAlmostEquals(watch.diversity(shrunk(0.25)), 0.25, 1e-4);
  assertAlmostEquals(watch.diversity(new Float32Array(20).fill(2)), 0, 1e-6);
});

Deno.test("CollapseWatch warns of a collapsed generator once, after the start, and again after a recovery", () => {
  const watch = new CollapseWatch(data, "non-saturating");
  const look = (step: number, factor: number) =>
    watch.look({ step, totalSteps: 2000, samples: shrunk(factor), scalars: fair });
  assertEquals(look(0, 0.01), []);
  assertEquals(look(150, 0.01), []);
  assertEquals(look(200, 0.9), []);
  const [warning] = look(300, 0.05);
  assertStringIncludes(
    warning,
    "at step 300 its samples vary 5% as much as the data, D(x) is 0.500 and D(G(z)) 0.500; try pack=2",
  );
  assertEquals(look(400, 0.05), []);
  assertEquals(look(500, 0.8), []);
  assertEquals(look(600, 0.05).length, 1);
});

Deno.test("CollapseWatch warns of a discriminator that is right at two looks in a row", () => {
  const sure = { dReal: 0.999, dFake: 0.002 };
  const warnings = (
    objective: ObjectiveName,
    seen: (typeof fair)[],
  ) => {
    const watch = new CollapseWatch(data, objective);
    return seen.flatMap((scalars, i) =>
      watch.look({ step: 150 + i, totalSteps: 1000, samples: reals, scalars })
    );
  };
  assertEquals(warnings("non-saturating", [sure, fair, sure]), []);
  assertEquals(warnings("wasserstein", [sure, sure, sure]), []);
  const [warning, ...more] = warnings("non-saturating", [sure, sure, sure]);
  assertStringIncludes(warning, "at step 151 D(x) is 0.999 and D(G(z)) 0.002, which teaches");
  assertStringIncludes(warning, "its samples vary 100% as much as the data; try objective.r1");
  assertEquals(more, []);
  // Of pairs only the difference counts: ln 99 is 4.6.
  assertEquals(warnings("relativistic", [{ dReal: 9, dFake: 5 }, { dReal: 9, dFake: 5 }]), []);
  const [pairs] = warnings("relativistic", [{ dReal: 9, dFake: 4 }, { dReal: 9, dFake: 4 }]);
  assertStringIncludes(
    pairs,
    "D(x) - D(G(z)) is 5.00, as of a pair ranked correctly with 99.3% certainty",
  );
  const twice = (dReal: number, dFake: number) => [{ dReal, dFake }, { dReal, dFake }];
  assertEquals(warnings("hinge", twice(2.1, -1.9)), []);
  const [margins] = warnings("hinge", twice(2.1, -2.2));
  assertStringIncludes(margins, "D(x) is 2.100 and D(G(z)) -2.200, which teaches");
  assertStringIncludes(margins, "try objective.r1, instanceNoise, a smaller"); // hinge has no label
  assertEquals(warnings("least-squares", twice(0.97, 0.06)), []);
  const [targets] = warnings("least-squares", twice(0.97, 0.04));
  assertStringIncludes(targets, "objective.realLabel=0.9");
});

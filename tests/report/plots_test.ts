import { decodePng } from "../png.ts";
import { assert, assertEquals, assertGreater, assertLess, assertStringIncludes } from "@std/assert";
import { drawDensityPlot } from "../../src/report/density_plot.ts";
import { drawFigure } from "../../src/report/figure.ts";
import { drawLossPlot, type LossRecord } from "../../src/report/loss_plot.ts";
import { rasterizeSvg } from "../../src/report/rasterize.ts";
import { drawScatterPlot } from "../../src/report/scatter_plot.ts";
import { escapeXml } from "../../src/report/svg.ts";
import { fillNormal } from "../../src/random/counter_random.ts";

/** Checks that every element is closed in order, and returns their names. */
function elementsOf(svg: string): string[] {
  const open: string[] = [];
  const names: string[] = [];
  for (const [, closing, name, selfClosing] of svg.matchAll(/<(\/?)([A-Za-z]+)[^>]*?(\/?)>/g)) {
    if (closing) assertEquals(open.pop(), name);
    else {
      names.push(name);
      if (!selfClosing) open.push(name);
    }
  }
  assertEquals(open, []);
  return names;
}

const normals = (count: number, seed: number): Float32Array =>
  fillNormal(new Float32Array(count), { seed, stream: 0, step: 0 });

Deno.test("escapeXml() makes text harmless", () => {
  assertEquals(escapeXml(`<a b="c">&'`), "&lt;a b=&quot;c&quot;&gt;&amp;&#39;");
});

Deno.test("drawFigure() places marks where their values are", () => {
  const svg = drawFigure({
    title: "A & B",
    width: 190, // 66 on the left, 24 on the right: 100 for the panel
    panels: [{
      x: { label: "x", domain: [0, 10] },
      y: { label: "y", domain: [0, 1] },
      height: 100,
      marks: [
        { kind: "line", x: [0, 5, NaN, 10], y: [0, 1, 0, 0.5], color: "red", label: "line" },
        { kind: "dots", x: [5], y: [0.5], radius: 2, opacity: 1, color: "blue" },
        { kind: "bars", range: [0, 10], heights: [1, 0.5], color: "green", opacity: 1 },
      ],
    }],
  });
  elementsOf(svg);
  assertStringIncludes(svg, "<title>A &amp; B</title>");
  assertStringIncludes(svg, `d="M0,100L50,0M100,50Z"`); // the NaN breaks the line
  assertStringIncludes(svg, `d="M50.0,50.0h0"`);
  assertStringIncludes(svg, `d="M0,0L50,0L50,50L100,50L100,50L100,100L`); // then the baseline back
});

Deno.test("drawFigure() keeps coordinates of diverged values near the image", () => {
  const svg = drawFigure({
    title: "t",
    panels: [{
      x: { label: "x", domain: [0, 1] },
      y: { label: "y", domain: [0, 1] },
      marks: [{ kind: "line", x: [0, 1], y: [1e38, -1e38], color: "red" }],
    }],
  });
  assertStringIncludes(svg, "M0,-10000L");
});

Deno.test("drawDensityPlot() shows histograms, density and both discriminators", () => {
  const svg = drawDensityPlot({
    title: "mixture-1d",
    range: [-4, 4],
    samples: normals(5000, 1),
    data: normals(2000, 2),
    density: (x) => Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI),
    discriminator: {
      x: [-4, 0, 4],
      trained: [0.4, 0.5, 0.6],
      optimal: { x: [-1, 1], probability: [0.5, 0.5] },
    },
  });
  elementsOf(svg);
  for (
    const label of ["data (2,000)", "generated (5,000)", "density of the data", "trained D(x)"]
  ) {
    assertStringIncludes(svg, `>${label}</text>`);
  }
  assertStringIncludes(svg, "optimal D*(x) = p_data / (p_data + p_g)");
  const plain = drawDensityPlot({ title: "csv", range: [-4, 4], samples: normals(10, 1) });
  assert(!plain.includes("D(x)") && !plain.includes("density of the data"));
});

Deno.test("drawScatterPlot() says how many samples fell outside", () => {
  const data = normals(400, 3);
  const samples = normals(400, 4);
  samples.set([100, 100, NaN, 0], 0);
  const svg = drawScatterPlot({
    title: "ring-2d",
    data,
    samples,
    modes: { centers: [[0, 0], [1, 1]], radius: 0.1, label: "modes (3 sigma)" },
  });
  assertEquals(elementsOf(svg).filter((name) => name === "circle").length, 2 + 3); // and 3 swatches
  assertStringIncludes(svg, "generated (2 of 200 outside the plot)");
});

function records(count: number): LossRecord[] {
  const noise = normals(2 * count, 5);
  return Array.from({ length: count }, (_, i) => ({
    step: i + 1,
    dLoss: 1.3 + 0.1 * noise[2 * i],
    gLoss: 0.8 + 0.1 * noise[2 * i + 1],
    dReal: 0.6,
    dFake: 0.4,
  }));
}

Deno.test("drawLossPlot() draws bands for many records, plain lines for few", () => {
  assertStringIncludes(drawLossPlot({ title: "t", records: records(2000) }), "fill-opacity");
  const few = drawLossPlot({ title: "t", records: records(20) });
  elementsOf(few);
  assert(!few.includes("fill-opacity"));
  assertStringIncludes(few, ">probability of real</text>");
});

Deno.test("drawLossPlot() is not flattened by a spike", () => {
  const spiked = records(1000);
  spiked[500].gLoss = 1e6;
  const svg = drawLossPlot({ title: "t", records: spiked });
  assertStringIncludes(svg, ">1.0</text>"); // ticks still around the losses
  assert(!svg.includes("M</text>") && !svg.includes("k</text>"));
});

Deno.test("drawLossPlot() of a critic shows values, not probabilities", () => {
  const svg = drawLossPlot({
    title: "t",
    logitKind: "value",
    records: [1, 2, 3].map((step) => ({ step, dLoss: -step, dReal: 10 * step, dFake: -10 * step })),
  });
  assertStringIncludes(svg, ">D of generated</text>");
  assert(!svg.includes("probability"));
});

Deno.test("drawLossPlot() of compared pairs shows their difference alone", () => {
  const svg = drawLossPlot({
    title: "t",
    logitKind: "margin",
    records: [1, 2, 3].map((step) => ({ step, dLoss: 1, dReal: 5 + step, dFake: 5 })),
  });
  assertStringIncludes(svg, ">D(x) \u2212 D(G(z)), mean over pairs</text>");
  assert(!svg.includes("probability") && !svg.includes(">D(x), data</text>"));
});

Deno.test("drawLossPlot() stands records that miss fields, and none at all", () => {
  elementsOf(drawLossPlot({ title: "t", records: [] }));
  const svg = drawLossPlot({
    title: "t",
    records: [{ step: 1, dLoss: 1 }, { step: 2, dLoss: NaN }],
  });
  assert(!svg.includes(">generator</text>"));
});

Deno.test("rasterizeSvg() draws shapes in their colors and text in the bundled font", async () => {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="100" height="40">` +
    `<rect width="100" height="40" fill="#fff"/><rect x="10" y="10" width="20" height="20" fill="#f00"/>` +
    `<text x="40" y="28" font-size="20" font-family="Arial, sans-serif" fill="#000">H1</text></svg>`;
  const image = await decodePng(await rasterizeSvg(svg));
  assertEquals([image.width, image.height, image.channels], [200, 80, 4]);
  const pixel = (x: number, y: number): number[] => [
    ...image.data.subarray(4 * (y * 200 + x), 4 * (y * 200 + x) + 4),
  ];
  assertEquals(pixel(40, 40), [255, 0, 0, 255]);
  assertEquals(pixel(5, 5), [255, 255, 255, 255]);
  let ink = 0;
  for (let y = 20; y < 62; y++) {
    for (let x = 78; x < 140; x++) ink += (255 - pixel(x, y)[1]) / 255;
  }
  // Two letters of about 28 x 40 pixels and strokes of about 4: some 450 dark pixels.
  assertGreater(ink, 250);
  assertLess(ink, 900);
});

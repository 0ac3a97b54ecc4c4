/** The models behind fixtures/pytorch/model_cases.py: tiny networks, one model of each kind. */
import type { LayerSpec, NetworkSpec } from "../../src/config/network.ts";
import type { OptimizerSpec } from "../../src/config/optimizer.ts";
import type { ModelSpec } from "../../src/config/model.ts";

/** A model, and one sample's shape of each input. */
export interface ModelCase {
  model: ModelSpec;
  batchSize: number;
  inputShapes: Record<string, number[]>;
}

const TANH = { type: "activation", fn: "tanh" } as const;

function network(inputShape: number[], ...layers: LayerSpec[]): NetworkSpec {
  return { inputShape, init: "torch", layers };
}

function conv(filters: number, kernel: number, stride: number, padding: number): LayerSpec {
  return { type: "conv", filters, kernel, stride, padding };
}

function dense(units: number): LayerSpec {
  return { type: "dense", units };
}

function adam(beta1 = 0.9, beta2 = 0.999): OptimizerSpec {
  return { type: "adam", learningRate: 2e-3, beta1, beta2 };
}

const toImage = network([4, 4, 1], conv(3, 3, 1, 1), TANH, conv(1, 3, 1, 1), TANH);
const toLogits = network([4, 4, 1], conv(4, 4, 2, 1), TANH, conv(1, 1, 1, 0));

const paired: ModelCase = {
  batchSize: 2,
  inputShapes: { a: [4, 4, 2], b: [4, 4, 1] },
  model: {
    networks: {
      generator: { ...toImage, inputShape: [4, 4, 2] },
      discriminator: { ...toLogits, inputShape: [4, 4, 3] },
    },
    values: {
      fakeB: { op: "network", network: "generator", input: "a" },
      realLogits: { op: "network", network: "discriminator", input: ["a", "b"] },
      fakeLogits: { op: "network", network: "discriminator", input: ["a", "fakeB"] },
    },
    updates: [
      {
        name: "discriminator",
        networks: ["discriminator"],
        optimizer: adam(0.5),
        terms: [{
          name: "dAdversarial",
          loss: "discriminator",
          objective: "non-saturating",
          real: "realLogits",
          fake: "fakeLogits",
          weight: 0.5,
        }],
      },
      {
        name: "generator",
        networks: ["generator"],
        optimizer: adam(0.5),
        terms: [
          {
            name: "gAdversarial",
            loss: "generator",
            objective: "non-saturating",
            fake: "fakeLogits",
          },
          { name: "l1", loss: "l1", of: "fakeB", to: "b", weight: 100 },
        ],
      },
    ],
    output: "fakeB",
  },
};

const cycle: ModelCase = {
  batchSize: 1,
  inputShapes: { a: [4, 4, 1], b: [4, 4, 1] },
  model: {
    networks: { aToB: toImage, bToA: toImage, dA: toLogits, dB: toLogits },
    values: {
      fakeB: { op: "network", network: "aToB", input: "a" },
      fakeA: { op: "network", network: "bToA", input: "b" },
      cycleA: { op: "network", network: "bToA", input: "fakeB" },
      cycleB: { op: "network", network: "aToB", input: "fakeA" },
      sameA: { op: "network", network: "bToA", input: "a" },
      sameB: { op: "network", network: "aToB", input: "b" },
      logitsFakeA: { op: "network", network: "dA", input: "fakeA" },
      logitsFakeB: { op: "network", network: "dB", input: "fakeB" },
      shownA: { op: "history", of: "fakeA", size: 2 },
      shownB: { op: "history", of: "fakeB", size: 2 },
      logitsA: { op: "network", network: "dA", input: "a" },
      logitsB: { op: "network", network: "dB", input: "b" },
      logitsShownA: { op: "network", network: "dA", input: "shownA" },
      logitsShownB: { op: "network", network: "dB", input: "shownB" },
    },
    updates: [
      {
        name: "generators",
        networks: ["aToB", "bToA"],
        optimizer: adam(0.5),
        terms: [
          // Zhu et al. write (f - 1)^2; the objective's is half of it.
          {
            name: "adversarialB",
            loss: "generator",
            objective: "least-squares",
            fake: "logitsFakeB",
            weight: 2,
          },
          {
            name: "adversarialA",
            loss: "generator",
            objective: "least-squares",
            fake: "logitsFakeA",
            weight: 2,
          },
          { name: "cycleA", loss: "l1", of: "cycleA", to: "a", weight: 10 },
          { name: "cycleB", loss: "l1", of: "cycleB", to: "b", weight: 10 },
          { name: "identityA", loss: "l1", of: "sameA", to: "a", weight: 5 },
          { name: "identityB", loss: "l1", of: "sameB", to: "b", weight: 5 },
        ],
      },
      {
        name: "discriminatorA",
        networks: ["dA"],
        optimizer: adam(0.5),
        terms: [{
          name: "dA",
          loss: "discriminator",
          objective: "least-squares",
          real: "logitsA",
          fake: "logitsShownA",
        }],
      },
      {
        name: "discriminatorB",
        networks: ["dB"],
        optimizer: adam(0.5),
        terms: [{
          name: "dB",
          loss: "discriminator",
          objective: "least-squares",
          real: "logitsB",
          fake: "logitsShownB",
        }],
      },
    ],
    output: "fakeB",
  },
};

const enlarged: ModelCase = {
  batchSize: 2,
  inputShapes: { high: [4, 4, 1] },
  model: {
    networks: {
      generator: network(
        [2, 2, 1],
        conv(4, 3, 1, 1),
        TANH,
        conv(4, 3, 1, 1),
        { type: "pixel-shuffle", factor: 2 },
      ),
      discriminator: network([4, 4, 1], conv(4, 4, 2, 1), TANH, conv(1, 2, 1, 0)),
    },
    values: {
      low: { op: "shrink", of: "high", factor: 2 },
      fake: { op: "network", network: "generator", input: "low" },
      realLogits: { op: "network", network: "discriminator", input: "high" },
      fakeLogits: { op: "network", network: "discriminator", input: "fake" },
    },
    updates: [
      {
        name: "discriminator",
        networks: ["discriminator"],
        optimizer: adam(),
        terms: [{
          name: "dAdversarial",
          loss: "discriminator",
          objective: "relativistic",
          real: "realLogits",
          fake: "fakeLogits",
          fromStep: 1,
        }],
      },
      {
        name: "generator",
        networks: ["generator"],
        optimizer: adam(),
        terms: [
          { name: "l1", loss: "l1", of: "fake", to: "high" },
          {
            name: "gAdversarial",
            loss: "generator",
            objective: "relativistic",
            real: "realLogits",
            fake: "fakeLogits",
            weight: 0.1,
            fromStep: 1,
          },
        ],
      },
    ],
    output: "fake",
  },
};

const rows: ModelCase = {
  batchSize: 4,
  inputShapes: { row: [6], condition: [5] },
  model: {
    networks: {
      generator: network([3 + 5], dense(8), TANH, dense(6)),
      activate: network([6], TANH),
      discriminator: network([2 * (6 + 5)], dense(7), TANH, dense(1)),
    },
    latent: { dimension: 3, distribution: "normal" },
    values: {
      logits: { op: "network", network: "generator", input: ["latent", "condition"] },
      fakeRow: { op: "network", network: "activate", input: "logits" },
      realOne: { op: "join", of: ["row", "condition"] },
      fakeOne: { op: "join", of: ["fakeRow", "condition"] },
      realPack: { op: "pack", of: "realOne", count: 2 },
      fakePack: { op: "pack", of: "fakeOne", count: 2 },
      realLogits: { op: "network", network: "discriminator", input: "realPack" },
      fakeLogits: { op: "network", network: "discriminator", input: "fakePack" },
    },
    updates: [
      {
        name: "discriminator",
        networks: ["discriminator"],
        optimizer: adam(0.5, 0.9),
        terms: [
          {
            name: "dAdversarial",
            loss: "discriminator",
            objective: "wasserstein",
            real: "realLogits",
            fake: "fakeLogits",
          },
          {
            name: "penalty",
            loss: "gradient-penalty",
            network: "discriminator",
            real: "realPack",
            fake: "fakePack",
            weight: 10,
          },
        ],
      },
      {
        name: "generator",
        networks: ["generator"],
        optimizer: {
          type: "adam",
          learningRate: 2e-3,
          beta1: 0.5,
          beta2: 0.9,
          weightDecay: 1e-2,
        },
        terms: [
          { name: "gAdversarial", loss: "generator", objective: "wasserstein", fake: "fakeLogits" },
          {
            name: "conditionLoss",
            loss: "condition",
            logits: "logits",
            condition: "condition",
            choices: [
              { rowOffset: 1, conditionOffset: 0, size: 3 },
              { rowOffset: 4, conditionOffset: 3, size: 2 },
            ],
          },
        ],
      },
    ],
    output: "fakeRow",
  },
};

const captions: ModelCase = {
  batchSize: 2,
  inputShapes: { image: [4, 4, 1], words: [3] },
  model: {
    networks: {
      text: network([3], dense(2)),
      generator: network([3 + 2], dense(16), TANH, { type: "reshape", shape: [4, 4, 1] }),
      features: network([4, 4, 1], conv(4, 4, 4, 0), { type: "flatten" }),
      head: network([4 + 2], dense(5), TANH, dense(1)),
    },
    latent: { dimension: 3, distribution: "normal" },
    values: {
      caption: { op: "network", network: "text", input: "words" },
      otherCaption: { op: "mismatch", of: "caption" },
      fake: { op: "network", network: "generator", input: ["latent", "caption"] },
      realFeatures: { op: "network", network: "features", input: "image" },
      fakeFeatures: { op: "network", network: "features", input: "fake" },
      realLogits: { op: "network", network: "head", input: ["realFeatures", "caption"] },
      fakeLogits: { op: "network", network: "head", input: ["fakeFeatures", "caption"] },
      wrongLogits: { op: "network", network: "head", input: ["realFeatures", "otherCaption"] },
    },
    updates: [
      {
        name: "discriminator",
        networks: ["features", "head", "text"],
        optimizer: adam(),
        terms: [{
          name: "dAdversarial",
          loss: "discriminator",
          objective: "non-saturating",
          real: "realLogits",
          fake: ["fakeLogits", "wrongLogits"],
        }],
      },
      {
        name: "generator",
        networks: ["generator", "text"],
        optimizer: adam(),
        terms: [{
          name: "gAdversarial",
          loss: "generator",
          objective: "non-saturating",
          fake: "fakeLogits",
        }],
      },
    ],
    output: "fake",
  },
};

/** All cases by the names of the golden file. */
export const MODEL_CASES: Record<string, ModelCase> = { paired, cycle, enlarged, rows, captions };

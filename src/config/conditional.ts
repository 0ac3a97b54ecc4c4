/** From a recipe without labels to the same recipe with them. */
import { UserError } from "../errors.ts";
import { allLayers, LABEL_LAYERS, type LayerSpec } from "./network.ts";
import type { RunConfig } from "./run_config.ts";

/** Units of the label's embedding in a generator that has no batch norm to give the label to. */
const EMBEDDING_UNITS = 32;

/** Whether a layer of either network knows about classes. */
export function hasLabelLayers(config: Pick<RunConfig, "generator" | "discriminator">): boolean {
  const layers = allLayers([...config.generator.layers, ...config.discriminator.layers]);
  return layers.some(({ type }) => LABEL_LAYERS.includes(type) || type === "classifier-head");
}

/**
 * Makes both networks conditional. The generator's batch norms become conditional ones (de Vries et al.
 * 2017); without any, the latent is joined by an embedding of the label. The discriminator's last dense
 * layer becomes a projection (Miyato and Koyama 2018), or, where `objective.classification` asks for
 * AC-GAN (Odena et al. 2017), a classifier.
 * @throws {UserError} when a network has labels already, or the discriminator ends otherwise
 */
export function conditionalVariant(config: RunConfig): RunConfig {
  if (hasLabelLayers(config)) {
    throw new UserError(
      "Cannot make the networks conditional: they have layers that take labels already",
    );
  }
  const { generator, discriminator, objective } = config;
  const last = discriminator.layers[discriminator.layers.length - 1];
  if (last.type !== "dense" || last.units !== 1) {
    throw new UserError(
      "Cannot make the discriminator conditional: its last layer must be dense with 1 unit, and it is " +
        `${last.type}; end it in a projection-head or a classifier-head`,
    );
  }
  const { units: _, ...kept } = last;
  const type = objective.classification ? "classifier-head" : "projection-head";
  const normed = withConditionalNorm(generator.layers);
  const layers: LayerSpec[] = JSON.stringify(normed) === JSON.stringify(generator.layers)
    ? [{ type: "label-embedding", units: EMBEDDING_UNITS }, ...generator.layers]
    : normed;
  return {
    ...config,
    conditional: true,
    generator: { ...generator, layers },
    discriminator: {
      ...discriminator,
      layers: [...discriminator.layers.slice(0, -1), { ...kept, type }],
    },
  };
}

function withConditionalNorm(layers: readonly LayerSpec[]): LayerSpec[] {
  return layers.map((layer): LayerSpec => {
    if (layer.type === "concat-skip") return { ...layer, body: withConditionalNorm(layer.body) };
    if (layer.type === "residual") {
      const shortcut = layer.shortcut && { shortcut: withConditionalNorm(layer.shortcut) };
      return { ...layer, body: withConditionalNorm(layer.body), ...shortcut };
    }
    if (layer.type !== "batch-norm") return layer;
    const { affine: _, ...kept } = layer;
    return { ...kept, type: "conditional-batch-norm" };
  });
}

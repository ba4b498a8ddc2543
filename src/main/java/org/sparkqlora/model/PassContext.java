package org.sparkqlora.model;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.KeyValueCache.KeysAndValues;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.weights.family.LayerTraits;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.family.RotarySpec;

/** The context that layers share during one pass over one micro-batch. */
final class PassContext {
    private final List<LayerTraits> layers;
    private final DocumentBatch batch;
    private final @Nullable KeyValueCache cache;
    private final Map<RotarySpec, Rotary> rotaries = new HashMap<>();
    private final Map<OptionalInt, CausalAttention> attentions = new HashMap<>();

    /**
     * @param cache of the document before the batch, which the batch goes into; null where every document is whole
     */
    PassContext(
            ModelConfig config,
            DocumentBatch batch,
            Precision precision,
            Hardware hardware,
            @Nullable KeyValueCache cache) {
        this.layers = config.layerTraits();
        this.batch = batch;
        this.cache = cache;
        for (LayerTraits layer : config.layerTraits()) {
            layer.rotary()
                    .ifPresent(spec -> rotaries.computeIfAbsent(
                            spec, each -> Rotary.of(batch, each, config.headSize(), precision, hardware)));
            attentions.computeIfAbsent(
                    layer.window(),
                    window -> new CausalAttention(
                            config.attentionScale(), window, config.traits().attentionCap(), hardware));
        }
    }

    /**
     * The context of one layer.
     *
     * @param rotary how the layer turns queries and keys; null where it does not
     * @param cache the layer's keys and values of the past; null where every document is whole
     */
    record Layer(
            DocumentBatch batch,
            @Nullable Rotary rotary,
            CausalAttention attention,
            KeyValueCache.@Nullable Layer cache) {
        /** The keys and values that the batch's queries attend to, given the batch's own keys and values. */
        KeysAndValues seen(Tensor keys, Tensor values) {
            return cache == null ? new KeysAndValues(keys, values) : cache.append(keys, values);
        }
    }

    Layer layer(int index) {
        LayerTraits traits = layers.get(index);
        CausalAttention attention = attentions.get(traits.window());
        if (attention == null) {
            throw new IllegalStateException("Cannot run a layer of another model");
        }

        return new Layer(
                batch,
                traits.rotary().map(rotaries::get).orElse(null),
                attention,
                cache == null ? null : cache.layer(index));
    }
}

package org.sparkqlora.model;

import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.weights.LayerTraits;
import org.sparkqlora.weights.ModelConfig;
import org.sparkqlora.weights.RotarySpec;

/** What layers share during one pass over one micro-batch. Its tensors belong to the scope that it is made in. */
final class PassContext implements AutoCloseable {
    private final DocumentBatch batch;
    private final Map<RotarySpec, Rotary> rotaries = new HashMap<>();
    private final Map<OptionalInt, CausalAttention> attentions = new HashMap<>();

    PassContext(ModelConfig config, DocumentBatch batch, ScalarType activations) {
        this.batch = batch;
        for (LayerTraits layer : config.layerTraits()) {
            layer.rotary()
                    .ifPresent(spec -> rotaries.computeIfAbsent(
                            spec, each -> Rotary.of(batch, each, config.headSize(), activations)));
            attentions.computeIfAbsent(
                    layer.window(),
                    window -> new CausalAttention(
                            config.attentionScale(), window, config.traits().attentionCap()));
        }
    }

    /**
     * What one layer needs of it.
     *
     * @param rotary how the layer turns queries and keys; null where it does not
     */
    record Layer(DocumentBatch batch, @Nullable Rotary rotary, CausalAttention attention) {}

    Layer layer(LayerTraits traits) {
        CausalAttention attention = attentions.get(traits.window());
        if (attention == null) {
            throw new IllegalStateException("Cannot run a layer of another model");
        }

        return new Layer(batch, traits.rotary().map(rotaries::get).orElse(null), attention);
    }

    @Override
    public void close() {
        attentions.values().forEach(CausalAttention::close);
    }
}

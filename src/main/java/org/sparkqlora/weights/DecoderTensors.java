package org.sparkqlora.weights;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Names and shapes of the weights that a config asks for, in the order a token passes them. All families use one naming. */
public final class DecoderTensors {
    public static final String EMBEDDING = "model.embed_tokens.weight";
    public static final String NORM = "model.norm.weight";
    public static final String HEAD = "lm_head.weight";

    private final ModelConfig config;
    private final Map<String, long[]> shapes = new LinkedHashMap<>();
    private final List<String> projections = new ArrayList<>();

    private DecoderTensors(ModelConfig config) {
        this.config = config;
        shapes.put(EMBEDDING, new long[] {config.vocabularySize(), config.hiddenSize()});
        for (int layer = 0; layer < config.layers(); layer++) {
            addLayer("model.layers." + layer + ".");
        }

        shapes.put(NORM, new long[] {config.hiddenSize()});
        if (!config.tiedEmbeddings()) {
            shapes.put(HEAD, new long[] {config.vocabularySize(), config.hiddenSize()});
        }
    }

    public static DecoderTensors of(ModelConfig config) {
        return new DecoderTensors(config);
    }

    /** Shapes by name. */
    public Map<String, long[]> shapes() {
        return Collections.unmodifiableMap(shapes);
    }

    /** Weights of the seven projections of every layer: what is held in four bits. */
    public List<String> projections() {
        return List.copyOf(projections);
    }

    private void addLayer(String layer) {
        String attention = layer + "self_attn.";
        int hidden = config.hiddenSize();
        shapes.put(layer + "input_layernorm.weight", new long[] {hidden});
        addProjection(attention + "q_proj", config.querySize(), hidden, config.attentionBias());
        addProjection(attention + "k_proj", config.keyValueSize(), hidden, config.attentionBias());
        addProjection(attention + "v_proj", config.keyValueSize(), hidden, config.attentionBias());
        addProjection(attention + "o_proj", hidden, config.querySize(), config.outputBias());
        if (config.queryKeyNorm()) {
            shapes.put(attention + "q_norm.weight", new long[] {config.headSize()});
            shapes.put(attention + "k_norm.weight", new long[] {config.headSize()});
        }

        shapes.put(layer + "post_attention_layernorm.weight", new long[] {hidden});
        addProjection(layer + "mlp.gate_proj", config.intermediateSize(), hidden, config.mlpBias());
        addProjection(layer + "mlp.up_proj", config.intermediateSize(), hidden, config.mlpBias());
        addProjection(layer + "mlp.down_proj", hidden, config.intermediateSize(), config.mlpBias());
    }

    private void addProjection(String module, long outputs, long inputs, boolean biased) {
        shapes.put(module + ".weight", new long[] {outputs, inputs});
        projections.add(module + ".weight");
        if (biased) {
            shapes.put(module + ".bias", new long[] {outputs});
        }
    }
}

package org.sparkqlora.command.demo;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.sparkqlora.weights.safetensors.StoredType;
import org.sparkqlora.weights.safetensors.TensorSpec;

/**
 * The size of the demo's model: a Llama of a few hundred thousand weights.
 *
 * @param vocabulary number of tokens
 */
record DemoShape(int vocabulary) {
    int hidden() {
        return 128;
    }

    int intermediate() {
        return 256;
    }

    int layers() {
        return 2;
    }

    int heads() {
        return 4;
    }

    int keyValueHeads() {
        return 2;
    }

    int headSize() {
        return hidden() / heads();
    }

    int positions() {
        return 256;
    }

    /** The weights, by the names that transformers gives them; the output head is the embedding. */
    List<TensorSpec> tensors() {
        List<TensorSpec> tensors = new ArrayList<>();
        tensors.add(matrix("model.embed_tokens", vocabulary, hidden()));
        for (int layer = 0; layer < layers(); layer++) {
            addLayer(String.format(Locale.ROOT, "model.layers.%d.", layer), tensors);
        }

        tensors.add(norm("model.norm"));
        return tensors;
    }

    private void addLayer(String layer, List<TensorSpec> tensors) {
        tensors.add(norm(layer + "input_layernorm"));
        tensors.add(matrix(layer + "self_attn.q_proj", heads() * headSize(), hidden()));
        tensors.add(matrix(layer + "self_attn.k_proj", keyValueHeads() * headSize(), hidden()));
        tensors.add(matrix(layer + "self_attn.v_proj", keyValueHeads() * headSize(), hidden()));
        tensors.add(matrix(layer + "self_attn.o_proj", hidden(), heads() * headSize()));
        tensors.add(norm(layer + "post_attention_layernorm"));
        tensors.add(matrix(layer + "mlp.gate_proj", intermediate(), hidden()));
        tensors.add(matrix(layer + "mlp.up_proj", intermediate(), hidden()));
        tensors.add(matrix(layer + "mlp.down_proj", hidden(), intermediate()));
    }

    private TensorSpec norm(String name) {
        return TensorSpec.of(name + ".weight", StoredType.F32, hidden());
    }

    private static TensorSpec matrix(String name, int outputs, int inputs) {
        return TensorSpec.of(name + ".weight", StoredType.F32, outputs, inputs);
    }
}

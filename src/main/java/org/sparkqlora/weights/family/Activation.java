package org.sparkqlora.weights.family;

import org.sparkqlora.weights.safetensors.FieldsJson;

/** The function of the gate. */
public enum Activation {
    SILU,
    GELU_TANH;

    /** Reads {@code key}, which names it as transformers does. */
    static Activation read(FieldsJson fields, String key, Activation absent) {
        if (!fields.has(key)) {
            return absent;
        }

        String name = fields.text(key);
        return switch (name) {
            case "silu" -> SILU;
            case "gelu_pytorch_tanh" -> GELU_TANH;
            default -> throw fields.unsupported(key, name, "silu or gelu_pytorch_tanh");
        };
    }
}

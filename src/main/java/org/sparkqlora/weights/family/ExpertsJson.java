package org.sparkqlora.weights.family;

import org.sparkqlora.weights.safetensors.FieldsJson;

/** The fields of {@code config.json} that count experts. */
final class ExpertsJson {
    /** More than any model has: each expert is listed by name. */
    private static final int MOST = 4096;

    private ExpertsJson() {}

    /** The experts of a layer; 0 in a model without. */
    static int experts(FieldsJson config, int absent) {
        int experts = config.integer("num_experts", config.integer("num_local_experts", absent));
        if (experts < 0 || experts > MOST) {
            throw config.unsupported("num_experts", String.valueOf(experts), "0 to " + MOST);
        }

        return experts;
    }

    /** The experts that a token goes to. */
    static int perToken(FieldsJson config, int experts, int absent) {
        int perToken = config.count("num_experts_per_tok", absent);
        if (perToken > experts) {
            throw config.unsupported(
                    "num_experts_per_tok", String.valueOf(perToken), "at most num_experts, which is " + experts);
        }

        return perToken;
    }
}

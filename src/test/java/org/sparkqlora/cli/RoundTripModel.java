package org.sparkqlora.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A model as both sides are asked to open it.
 *
 * @param model folder
 * @param adapter folder, or null
 * @param method as our commands name it
 */
record RoundTripModel(Path model, @Nullable Path adapter, String method) {
    /** A model with its weights as stored. */
    static RoundTripModel stored(Path model, @Nullable Path adapter) {
        return new RoundTripModel(model, adapter, "lora");
    }

    /** A model with its weights in four bits. */
    static RoundTripModel fourBits(Path model, @Nullable Path adapter) {
        return new RoundTripModel(model, adapter, "qlora");
    }

    /** The options by which our commands compute in float32. */
    List<String> options() {
        List<String> options =
                new ArrayList<>(List.of("--model", model.toString(), "--method", method, "--precision", "fp32"));
        if (adapter != null) {
            options.addAll(List.of("--adapter", adapter.toString()));
        }

        return options;
    }
}

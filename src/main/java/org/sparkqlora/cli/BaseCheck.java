package org.sparkqlora.cli;

import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.LoraSpec;
import org.sparkqlora.model.TakenFactors;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.weights.ModelConfig;
import org.sparkqlora.weights.WeightFolder;

/** Makes sure on the driver, before any task runs, that a base model is whole and sound. */
final class BaseCheck {
    private BaseCheck() {}

    /** What the model's config says, nothing else checked. */
    static ModelConfig config(ModelOptions options) {
        try (WeightFolder weights = WeightFolder.open(options.folder())) {
            return weights.config();
        }
    }

    /** Checks the model's files, every weight of them, and returns its config. */
    static ModelConfig check(ModelOptions options) {
        return check(options, null);
    }

    /** Checks the model's files, every weight of them, and that adapters can begin on them as they shall, and returns its config. */
    static ModelConfig check(ModelOptions options, @Nullable LoraSpec lora) {
        try (WeightFolder weights = WeightFolder.open(options.folder());
                Workers workers = new Workers(Runtime.getRuntime().availableProcessors())) {
            weights.checkShapes();
            if (lora != null && lora.takesFromBase()) {
                TakenFactors.requireTakable(weights, lora);
            }

            weights.checkFinite(workers);
            return weights.config();
        }
    }
}

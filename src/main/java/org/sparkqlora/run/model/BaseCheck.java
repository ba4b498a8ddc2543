package org.sparkqlora.run.model;

import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.adapter.PissaOloraFactors;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.options.ModelOptions;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.weights.CheckedWeights;
import org.sparkqlora.weights.WeightFolder;
import org.sparkqlora.weights.family.ModelConfig;

/** Makes sure on the driver, before any task runs, that a base model is whole and sound. */
public final class BaseCheck {
    private BaseCheck() {}

    /** The model's config, nothing else checked. */
    public static ModelConfig config(ModelOptions options) {
        try (WeightFolder weights = WeightFolder.open(options.folder())) {
            return weights.config();
        }
    }

    /** Checks the model's files, every weight of them unless that was done before, and returns its config. */
    public static ModelConfig check(ModelOptions options) {
        return check(options, null);
    }

    /** Checks the model's files, every weight of them, and that adapters can begin on them as they shall, and returns its config. */
    public static ModelConfig check(ModelOptions options, @Nullable LoraSpec lora) {
        try (WeightFolder weights = WeightFolder.open(options.folder());
                Workers workers = new Workers(Runtime.getRuntime().availableProcessors())) {
            weights.checkShapes();
            weights.checkHead();
            if (lora != null && lora.takesFromBase()) {
                PissaOloraFactors.requireTakable(weights, lora);
            }

            new CheckedWeights(options.cacheFolder()).requireFinite(weights, workers);
            return weights.config();
        }
    }
}

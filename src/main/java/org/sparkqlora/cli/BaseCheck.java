package org.sparkqlora.cli;

import org.sparkqlora.quant.Workers;
import org.sparkqlora.weights.ModelConfig;
import org.sparkqlora.weights.WeightFolder;

/** Makes sure on the driver, before any task runs, that a base model is whole and sound. */
final class BaseCheck {
    private BaseCheck() {}

    /** Checks the model's files, every weight of them, and returns its config. */
    static ModelConfig check(ModelOptions options) {
        try (WeightFolder weights = WeightFolder.open(options.folder());
                Workers workers = new Workers(Runtime.getRuntime().availableProcessors())) {
            weights.checkShapes();
            weights.checkFinite(workers);
            return weights.config();
        }
    }
}

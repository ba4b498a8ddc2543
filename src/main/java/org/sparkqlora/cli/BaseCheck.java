package org.sparkqlora.cli;

import org.sparkqlora.model.Method;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.weights.ModelConfig;
import org.sparkqlora.weights.WeightFolder;

/** Makes sure on the driver, before any task runs, that a base model is whole and sound. */
final class BaseCheck {
    private BaseCheck() {}

    /** Checks the model's files and returns its config. */
    static ModelConfig check(ModelOptions options) {
        try (WeightFolder weights = WeightFolder.open(options.folder())) {
            weights.checkShapes();
            if (options.method != Method.QLORA || weights.quantized()) {
                checkFinite(weights);
            }

            return weights.config();
        }
    }

    /** Quantising reads every weight and checks it; only what is used as it is stored needs a look of its own. */
    private static void checkFinite(WeightFolder weights) {
        try (Workers workers = new Workers(Runtime.getRuntime().availableProcessors())) {
            weights.checkFinite(workers);
        }
    }
}

package org.sparkqlora.run.prepare;

import org.apache.spark.api.java.JavaSparkContext;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.options.Console;
import org.sparkqlora.spark.prepare.CommonDocuments;
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.weights.family.ModelConfig;

/** Warnings of prepared rows that a model can use and that are probably not what somebody wants. Driver only. */
public record RowWarnings(JavaSparkContext context, Console console) {
    /** Warns of the rows of a training run. */
    public void ofTraining(ModelConfig config, PreparedData rows, @Nullable PreparedData heldOut) {
        ofPositions(rows, config);
        if (heldOut != null) {
            ofHeldOut(rows, heldOut);
        }
    }

    /** Warns of documents that are longer than the model was made for. */
    public void ofPositions(PreparedData rows, ModelConfig config) {
        int width = rows.manifest().documentWidth();
        long longest = rows.report(context.hadoopConfiguration())
                .map(report -> Math.min(report.longest(), width))
                .orElse((long) width);
        if (longest > config.longestSequence()) {
            console.warn(
                    "rows of %s hold documents of %d tokens, and the model was made for %d: a shorter --sequence-length cuts them, rope_scaling in config.json stretches the model",
                    rows.folder(), longest, config.longestSequence());
        }
    }

    /** Warns of held-out documents that are trained on. */
    private void ofHeldOut(PreparedData trained, PreparedData heldOut) {
        CommonDocuments found = CommonDocuments.of(context, trained, heldOut);
        if (found.common() > 0) {
            console.warn(
                    "%d of %d held-out documents are among the training documents, so that the held-out loss tells less of new ones",
                    found.common(), found.heldOut());
        }
    }
}

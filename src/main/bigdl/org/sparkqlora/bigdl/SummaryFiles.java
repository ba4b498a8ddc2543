package org.sparkqlora.bigdl;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.spark.watch.EventFiles;
import org.sparkqlora.train.metrics.StepMetrics;

/** A run's curves under the names that BigDL's own training gives them, by its TrainSummary and ValidationSummary. */
final class SummaryFiles implements EventFiles {
    private static final String LOSS = "Loss";

    private final Path folder;
    private final String run;
    private final EventFile train;
    private @Nullable EventFile validation;

    SummaryFiles(Path folder, String run) {
        this.folder = folder;
        this.run = run;
        this.train = EventFile.train(folder, run);
    }

    @Override
    public void stepDone(StepMetrics step) {
        train.add(LOSS, step.loss(), step.step());
        train.add("LearningRate", step.learningRate(), step.step());
        train.add("Throughput", step.tokensPerSecond(), step.step());
        step.gradientNorm().ifPresent(norm -> train.add("GradientNorm", norm, step.step()));
    }

    @Override
    public void evaluated(long step, double loss) {
        if (validation == null) {
            validation = EventFile.validation(folder, run);
        }

        validation.add(LOSS, loss, step);
    }

    @Override
    public void close() {
        train.close();
        if (validation != null) {
            validation.close();
        }
    }
}

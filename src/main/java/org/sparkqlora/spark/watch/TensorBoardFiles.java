package org.sparkqlora.spark.watch;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.train.metrics.StepMetrics;

/** A run's curves for TensorBoard, in the folders and under the names that BigDL's summaries have. */
public final class TensorBoardFiles implements EventFiles {
    private static final String LOSS = "Loss";

    private final Path folder;
    private final TensorBoardFile train;
    private @Nullable TensorBoardFile validation;
    private long doneSteps;

    /** In {@code folder/run}, which is on this host; an earlier run's files stay. */
    public TensorBoardFiles(Path folder, String run) {
        this.folder = folder.resolve(run);
        this.train = TensorBoardFile.create(this.folder.resolve("train"));
    }

    @Override
    public void started(long done, long allSteps) {
        doneSteps = done;
        train.restartAt(done + 1);
    }

    @Override
    public void stepDone(StepMetrics step) {
        train.scalar(LOSS, step.loss(), step.step());
        train.scalar("LearningRate", step.learningRate(), step.step());
        train.scalar("Throughput", step.tokensPerSecond(), step.step());
        step.gradientNorm().ifPresent(norm -> train.scalar("GradientNorm", norm, step.step()));
        step.measures().forEach((name, value) -> train.scalar(name, value, step.step()));
    }

    @Override
    public void evaluated(long step, double loss) {
        if (validation == null) {
            validation = TensorBoardFile.create(folder.resolve("validation"));
            validation.restartAt(doneSteps + 1);
        }

        validation.scalar(LOSS, loss, step);
    }

    @Override
    public void close() {
        train.close();
        if (validation != null) {
            validation.close();
        }
    }
}

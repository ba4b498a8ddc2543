package org.sparkqlora.cli;

import java.io.Serializable;
import java.nio.file.Path;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.optim.Paging;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.BatchPlan;
import org.sparkqlora.train.FolderModelSource;
import org.sparkqlora.train.GradientModel;
import org.sparkqlora.train.LocalGradientSource;
import org.sparkqlora.train.StateHome;
import org.sparkqlora.train.StepGradient;
import org.sparkqlora.train.TrainState;
import org.sparkqlora.train.Update;

/**
 * One step of training on {@link ArbitraryRows}, to see what memory it takes.
 *
 * @param model what trains
 * @param paging of its optimiser
 * @param vocabulary tokens that the model knows
 * @param sequenceLength tokens a row, all of one document and all trained but the first
 * @param microBatchSize rows that pass through the model at once
 * @param threads threads to compute with
 */
record StepTrial(
        FolderModelSource model,
        OptimizerSpec optimizer,
        Paging paging,
        int vocabulary,
        int sequenceLength,
        int microBatchSize,
        int threads)
        implements Serializable {
    /** Enough for the second to find the memory of the first. */
    private static final int MICRO_BATCHES = 2;

    private static final long SEED = 42;
    private static final Path SCRATCH = Path.of(System.getProperty("java.io.tmpdir"));

    /** Leaves the parameters nearly where they are. */
    private static final double LEARNING_RATE = 1e-6;

    /** Makes what the step needs and is not part of it: the model's quantised copy. */
    void prepare() {
        model.open(threads).close();
    }

    /** Takes the step. */
    void run() {
        try (GradientModel opened = model.open(threads);
                Workers workers = new Workers(threads)) {
            run(opened, new StateHome(workers, paging, SCRATCH));
        }
    }

    private void run(GradientModel opened, StateHome home) {
        try (TrainState state = TrainState.fresh(parameters(opened, home), opened.parameters(), optimizer, SEED, home);
                LocalGradientSource source = new LocalGradientSource(batches(), opened, home, state, rows(), null)) {
            StepGradient step = source.gradient();
            float scale = 1f / step.loss().tokenCount();
            source.apply(new Update(state.version(), step.gradient(), scale, LEARNING_RATE));
            step.gradient().close();
        }
    }

    private FlatVector parameters(GradientModel opened, StateHome home) {
        return opened.initialParameters(SEED, length -> home.zeros(optimizer, length));
    }

    private ArbitraryRows rows() {
        return new ArbitraryRows((long) MICRO_BATCHES * microBatchSize, vocabulary, sequenceLength);
    }

    private BatchPlan batches() {
        int rows = MICRO_BATCHES * microBatchSize;
        return new BatchPlan(rows, rows, microBatchSize, 1, BatchPlan.RowOrder.FILE_ORDER, rows);
    }
}

package org.sparkqlora.spark;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.api.java.function.Function;
import org.sparkqlora.tokenizer.TokenRow;
import org.sparkqlora.train.BoundModel;
import org.sparkqlora.train.History;

/** The losses of the documents in one micro-batch of consecutive rows. Runs in a task. */
final class EvaluateFunction implements Function<Long, DocumentLosses> {
    private static final long serialVersionUID = 1L;

    private final RunDescription run;
    private final String folder;
    private final int microBatchSize;
    private final long version;
    private final History history;

    EvaluateFunction(RunDescription run, String folder, int microBatchSize, long version, History history) {
        this.run = run;
        this.folder = folder;
        this.microBatchSize = microBatchSize;
        this.version = version;
        this.history = history;
    }

    @Override
    public DocumentLosses call(Long microBatch) {
        ExecutorReplica executor = ExecutorReplicas.of(run);
        PreparedRows rows = executor.rows(folder);
        return executor.replica().at(version, history, model -> losses(model, rows, microBatch));
    }

    private DocumentLosses losses(BoundModel model, PreparedRows rows, long microBatch) {
        long from = microBatch * microBatchSize;
        long to = Math.min(rows.rows(), from + microBatchSize);
        List<TokenRow> batch = new ArrayList<>();
        for (long row = from; row < to; row++) {
            batch.add(rows.read(row));
        }

        return new DocumentLosses(model.losses(batch));
    }
}

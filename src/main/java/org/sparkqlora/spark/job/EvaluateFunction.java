package org.sparkqlora.spark.job;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.stream.LongStream;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.sparkqlora.spark.prepare.PreparedRows;
import org.sparkqlora.spark.replica.ProcessReplica;
import org.sparkqlora.spark.replica.ProcessReplicas;
import org.sparkqlora.spark.replica.RunHandle;
import org.sparkqlora.tokenizer.TokenRow;
import org.sparkqlora.train.StateLog;

/** The losses of the documents in micro-batches of consecutive rows. Runs in a task. */
final class EvaluateFunction implements FlatMapFunction<Iterator<Long>, DocumentLosses> {
    private static final long serialVersionUID = 2L;

    private final RunHandle run;
    private final String folder;
    private final int microBatchSize;
    private final long version;
    private final StateLog history;

    EvaluateFunction(RunHandle run, String folder, int microBatchSize, long version, StateLog history) {
        this.run = run;
        this.folder = folder;
        this.microBatchSize = microBatchSize;
        this.version = version;
        this.history = history;
    }

    @Override
    public Iterator<DocumentLosses> call(Iterator<Long> microBatches) {
        ProcessReplica executor = ProcessReplicas.of(run);
        PreparedRows rows = executor.rows(folder);
        List<DocumentLosses> losses = new ArrayList<>();
        executor.replica().at(version, history, model -> {
            model.losses(new Rows(rows, microBatches), each -> losses.add(new DocumentLosses(each)));
            return losses;
        });
        return losses.iterator();
    }

    /** Reads each micro-batch when it is asked for. */
    private final class Rows implements Iterator<List<TokenRow>> {
        private final PreparedRows rows;
        private final Iterator<Long> microBatches;

        private Rows(PreparedRows rows, Iterator<Long> microBatches) {
            this.rows = rows;
            this.microBatches = microBatches;
        }

        @Override
        public boolean hasNext() {
            return microBatches.hasNext();
        }

        @Override
        public List<TokenRow> next() {
            long from = microBatches.next() * microBatchSize;
            long to = Math.min(rows.rows(), from + microBatchSize);
            return LongStream.range(from, to).mapToObj(rows::read).toList();
        }
    }
}

package org.sparkqlora.spark.job;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.stream.LongStream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.model.loss.LossTotal.Measures;
import org.sparkqlora.spark.cluster.ModelTasks;
import org.sparkqlora.spark.cluster.TaskSlots;
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.spark.prepare.PreparedRows;
import org.sparkqlora.spark.prepare.RowsPlace;
import org.sparkqlora.spark.replica.InferenceReplicas;
import org.sparkqlora.spark.replica.ProcessReplica;
import org.sparkqlora.spark.replica.ProcessReplicas;
import org.sparkqlora.spark.replica.ReplicaGroup;
import org.sparkqlora.spark.replica.RunHandle;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.train.ModelSource;
import org.sparkqlora.train.StateLog;

/**
 * The losses of a trained model over prepared rows, computed on the cluster: a job for some rows after the other, so that the driver
 * never holds the losses of all documents. Driver only.
 */
public record SparkEvaluator(JavaSparkContext context, ModelSource model, int rowsAtOnce) {
    /** Rows of a job: enough that its slowest task does not count. */
    private static final int ROWS_AT_ONCE = 1 << 16;

    public SparkEvaluator(JavaSparkContext context, ModelSource model) {
        this(context, model, ROWS_AT_ONCE);
    }

    /** The loss of all documents; {@code each} takes that of every document, in row then document order. */
    public LossTotal total(
            FlatVector parameters,
            ParameterIndex index,
            PreparedData data,
            int microBatchSize,
            Consumer<LossTotal> each) {
        return new InferenceReplicas(context, model)
                .at(
                        parameters,
                        index,
                        (run, replicas) -> total(
                                context, function(run, replicas, data, microBatchSize), data.rows(), rowsAtOnce, each));
    }

    /** The loss of all documents at the version of {@code replicas}, added in the same order whatever the number of executors. */
    static LossTotal total(
            JavaSparkContext context, RunHandle run, ReplicaGroup replicas, PreparedData data, int microBatchSize) {
        EvaluateFunction function = function(run, replicas, data, microBatchSize);
        return total(context, function, data.rows(), ROWS_AT_ONCE, document -> {});
    }

    private static EvaluateFunction function(
            RunHandle run, ReplicaGroup replicas, PreparedData data, int microBatchSize) {
        return new EvaluateFunction(
                run, data.place(), microBatchSize, replicas.position().version(), replicas.stateLog());
    }

    private static LossTotal total(
            JavaSparkContext context, EvaluateFunction function, long rows, int rowsAtOnce, Consumer<LossTotal> each) {
        long microBatches = (rows + function.microBatchSize - 1) / function.microBatchSize;
        long atOnce = Math.max(1, rowsAtOnce / function.microBatchSize);
        RunningTotal total = new RunningTotal(each);
        for (long from = 0; from < microBatches; from += atOnce) {
            long to = Math.min(microBatches, from + atOnce);
            context.setJobDescription(String.format(
                    Locale.ROOT,
                    "evaluate: rows %d to %d of %d",
                    from * function.microBatchSize + 1,
                    Math.min(rows, to * function.microBatchSize),
                    rows));
            job(context, function, LongStream.range(from, to).boxed().toList()).forEach(part -> part.forEach(total));
        }

        return total.soFar;
    }

    private static List<DocumentLosses> job(
            JavaSparkContext context, EvaluateFunction function, List<Long> microBatches) {
        JavaRDD<Long> placed = ModelTasks.of(context.getConf())
                .place(context.parallelize(microBatches, TaskSlots.parts(context, microBatches.size())));
        return placed.mapPartitions(function).collect();
    }

    /** Adds losses in their order, and passes them on. */
    private static final class RunningTotal implements Consumer<LossTotal> {
        private final Consumer<LossTotal> each;
        private LossTotal soFar = LossTotal.ZERO;

        private RunningTotal(Consumer<LossTotal> each) {
            this.each = each;
        }

        @Override
        public void accept(LossTotal document) {
            soFar = soFar.plus(document);
            each.accept(document);
        }
    }

    /** The losses of the documents in micro-batches of consecutive rows. Runs in a task. */
    private record EvaluateFunction(RunHandle run, RowsPlace place, int microBatchSize, long version, StateLog log)
            implements FlatMapFunction<Iterator<Long>, DocumentLosses> {
        @Override
        public Iterator<DocumentLosses> call(Iterator<Long> microBatches) {
            ProcessReplica executor = ProcessReplicas.of(run);
            PreparedRows rows = executor.rows(place);
            List<DocumentLosses> losses = new ArrayList<>();
            executor.replica().at(version, log, model -> {
                model.losses(new Rows(rows, microBatches), each -> losses.add(new DocumentLosses(each)));
                return losses;
            });
            return losses.iterator();
        }

        /** Reads each micro-batch when it is asked for, and the one after it ahead. */
        private final class Rows implements Iterator<List<TokenRow>> {
            private final PreparedRows rows;
            private final Iterator<Long> microBatches;
            private long[] upcoming;

            private Rows(PreparedRows rows, Iterator<Long> microBatches) {
                this.rows = rows;
                this.microBatches = microBatches;
                this.upcoming = following();
            }

            @Override
            public boolean hasNext() {
                return upcoming.length > 0;
            }

            @Override
            public List<TokenRow> next() {
                long[] now = upcoming;
                upcoming = following();
                return rows.readAhead(now, upcoming);
            }

            private long[] following() {
                if (!microBatches.hasNext()) {
                    return new long[0];
                }

                long from = microBatches.next() * microBatchSize;
                return LongStream.range(from, Math.min(rows.rows(), from + microBatchSize))
                        .toArray();
            }
        }
    }

    /** The losses of consecutive documents, compact for the way to the driver. */
    public static final class DocumentLosses implements Serializable {
        private static final long serialVersionUID = 1L;

        private final double[] sums;
        private final long[] tokens;
        private final ArrayList<LossTotal> ofExamples; // in place of the others where losses have measures

        DocumentLosses(List<LossTotal> losses) {
            boolean plain = losses.stream().allMatch(loss -> loss.measures().equals(Measures.NONE));
            List<LossTotal> compact = plain ? losses : List.of();
            this.sums = compact.stream().mapToDouble(LossTotal::lossSum).toArray();
            this.tokens = compact.stream().mapToLong(LossTotal::tokenCount).toArray();
            this.ofExamples = new ArrayList<>(plain ? List.of() : losses);
        }

        void forEach(Consumer<LossTotal> each) {
            for (int i = 0; i < sums.length; i++) {
                each.accept(new LossTotal(sums[i], tokens[i]));
            }

            ofExamples.forEach(each);
        }
    }
}

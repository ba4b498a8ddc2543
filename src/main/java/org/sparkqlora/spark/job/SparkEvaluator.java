package org.sparkqlora.spark.job;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.stream.LongStream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.sparkqlora.model.LossTotal;
import org.sparkqlora.model.ParameterIndex;
import org.sparkqlora.spark.cluster.ModelTasks;
import org.sparkqlora.spark.cluster.TaskSlots;
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.spark.prepare.PreparedRows;
import org.sparkqlora.spark.replica.InferenceReplicas;
import org.sparkqlora.spark.replica.ProcessReplica;
import org.sparkqlora.spark.replica.ProcessReplicas;
import org.sparkqlora.spark.replica.ReplicaGroup;
import org.sparkqlora.spark.replica.RunHandle;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tokenizer.TokenRow;
import org.sparkqlora.train.ModelSource;
import org.sparkqlora.train.StateLog;

/** The losses of a trained model over prepared rows, computed on the cluster. Driver only. */
public final class SparkEvaluator {
    private final JavaSparkContext context;
    private final ModelSource model;

    public SparkEvaluator(JavaSparkContext context, ModelSource model) {
        this.context = context;
        this.model = model;
    }

    /** The loss of each document, in row then document order. */
    public List<LossTotal> losses(FlatVector parameters, ParameterIndex index, PreparedData data, int microBatchSize) {
        return new InferenceReplicas(context, model)
                .at(
                        parameters,
                        index,
                        data.folder(),
                        (run, replicas) -> losses(context, run, replicas, data, microBatchSize));
    }

    /** The losses at the version of {@code replicas}, in the same order whatever the number of executors. */
    static List<LossTotal> losses(
            JavaSparkContext context, RunHandle run, ReplicaGroup replicas, PreparedData data, int microBatchSize) {
        List<Long> microBatches = LongStream.range(0, (data.rows() + microBatchSize - 1) / microBatchSize)
                .boxed()
                .toList();
        context.setJobDescription(String.format(Locale.ROOT, "evaluate: %d rows", data.rows()));
        EvaluateFunction function = new EvaluateFunction(
                run, data.folder(), microBatchSize, replicas.state().version(), replicas.stateLog());
        JavaRDD<Long> placed = ModelTasks.of(context.getConf())
                .place(context.parallelize(microBatches, TaskSlots.parts(context, microBatches.size())));
        return placed.mapPartitions(function).collect().stream()
                .flatMap(losses -> losses.toList().stream())
                .toList();
    }

    /** The losses of the documents in micro-batches of consecutive rows. Runs in a task. */
    private static final class EvaluateFunction implements FlatMapFunction<Iterator<Long>, DocumentLosses> {
        private static final long serialVersionUID = 2L;

        private final RunHandle run;
        private final String folder;
        private final int microBatchSize;
        private final long version;
        private final StateLog log;

        EvaluateFunction(RunHandle run, String folder, int microBatchSize, long version, StateLog log) {
            this.run = run;
            this.folder = folder;
            this.microBatchSize = microBatchSize;
            this.version = version;
            this.log = log;
        }

        @Override
        public Iterator<DocumentLosses> call(Iterator<Long> microBatches) {
            ProcessReplica executor = ProcessReplicas.of(run);
            PreparedRows rows = executor.rows(folder);
            List<DocumentLosses> losses = new ArrayList<>();
            executor.replica().at(version, log, model -> {
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
                return rows.readAll(LongStream.range(from, to).toArray());
            }
        }
    }

    /** The losses of consecutive documents, compact for the way to the driver. */
    public static final class DocumentLosses implements Serializable {
        private static final long serialVersionUID = 1L;

        private final double[] sums;
        private final long[] tokens;

        DocumentLosses(List<LossTotal> losses) {
            this.sums = losses.stream().mapToDouble(LossTotal::lossSum).toArray();
            this.tokens = losses.stream().mapToLong(LossTotal::tokenCount).toArray();
        }

        List<LossTotal> toList() {
            List<LossTotal> losses = new ArrayList<>(sums.length);
            for (int i = 0; i < sums.length; i++) {
                losses.add(new LossTotal(sums[i], tokens[i]));
            }

            return losses;
        }
    }
}

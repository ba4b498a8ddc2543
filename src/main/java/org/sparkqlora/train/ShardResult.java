package org.sparkqlora.train;

import java.io.Serializable;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.metrics.ShardReport;

/** The result of one shard for its slice of a batch. A loss that is not a number is a result too: computing it again gives it again. */
public sealed interface ShardResult extends Serializable {
    int shard();

    /** This result with the report of the task about it: who computed it and how long it took. */
    ShardResult reported(ShardReport report);

    /**
     * The gradient of the shard's loss sum.
     *
     * @param shard which slice
     * @param loss over its trained tokens
     * @param tokens all tokens that went through the model, padding not counted
     * @param gradient derivative of {@code loss.lossSum()}
     * @param report of the worker and the time it took
     */
    record Gradient(int shard, LossTotal loss, long tokens, FlatVector gradient, ShardReport report)
            implements ShardResult {
        /** This result with an empty vector: its small part. */
        public Gradient withoutVector() {
            return withVector(FlatVector.zeros(0));
        }

        /** This result with another vector. */
        public Gradient withVector(FlatVector vector) {
            return new Gradient(shard, loss, tokens, vector, report);
        }

        @Override
        public Gradient reported(ShardReport by) {
            return new Gradient(shard, loss, tokens, gradient, by.about(report));
        }
    }

    /**
     * The first row whose loss is infinite or not a number.
     *
     * @param shard which slice
     * @param row its number among the prepared rows
     * @param lossSum as the model gave it
     */
    record BrokenLoss(int shard, long row, double lossSum) implements ShardResult {
        @Override
        public BrokenLoss reported(ShardReport by) {
            return this;
        }
    }

    /**
     * The worker of the shard could not come to the State that it computes at.
     *
     * @param shard which slice
     * @param reason in words
     */
    record Unreachable(int shard, String reason) implements ShardResult {
        @Override
        public Unreachable reported(ShardReport by) {
            return this;
        }
    }
}

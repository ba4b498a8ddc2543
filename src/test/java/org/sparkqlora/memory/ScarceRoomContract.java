package org.sparkqlora.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.model.LoadedModel;
import org.sparkqlora.model.Recompute;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.model.loss.LossTotal.Measures;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.train.BatchPlan;
import org.sparkqlora.train.BatchShape;
import org.sparkqlora.train.BoundModel;
import org.sparkqlora.train.DecoderGradientModel;
import org.sparkqlora.train.PassingBound;
import org.sparkqlora.train.RandomWeights;
import org.sparkqlora.train.ShardResult;
import org.sparkqlora.train.ShardTask;
import org.sparkqlora.train.TrainFixture;
import org.sparkqlora.weights.WeightFolder;
import org.sparkqlora.weights.family.ModelConfig;

/** A device with no room for a micro-batch computes its shard in smaller ones: the same gradient, which float32 rounds otherwise. */
abstract class ScarceRoomContract {
    private static final int ROWS = 8;
    private static final int FIT = 2;
    private static final int TOKENS = 256;
    private static final int VOCABULARY = 4096;

    /** Of float32 sums in another order, as a share of the largest gradient. */
    private static final double ROUNDING = 1e-4;

    private static final ModelSpec SPEC =
            new ModelSpec(Method.LORA, Precision.FP32, QuantSpec.DEFAULT, LoraSpec.allLinear(8, 16));

    private static final BatchPlan BATCHES = new BatchPlan(ROWS, ROWS, ROWS, 1, BatchPlan.RowOrder.FILE_ORDER, ROWS);

    @TempDir
    private Path folder;

    abstract Hardware device();

    /**
     * The same model where about so much room is left; closing it gives the rest back.
     *
     * @param bytes that a pass of {@code rows} takes
     */
    abstract BoundModel scarce(BoundModel bound, int rows, long bytes);

    @Test
    void aShardIsComputedInSmallerMicroBatchesToTheSameGradient() throws IOException {
        RandomWeights.writeLlama(folder, VOCABULARY, 512, 2048);
        WeightFolder weights = WeightFolder.open(folder);
        try (DecoderGradientModel model = new DecoderGradientModel(
                        weights,
                        LoadedModel.of(weights, SPEC, 1, Recompute.ALL, workers -> device()),
                        null,
                        config -> Optional.empty());
                BoundModel bound = model.bind(model.initialParameters(1))) {
            long size = model.parameters().size();
            bound.addGradient(rows().subList(0, 1), FlatVector.zeros(size), 0); // makes what is made once
            FlatVector halved = FlatVector.zeros(size);
            FlatVector whole = FlatVector.zeros(size);
            Watched watched;
            ShardResult.Gradient found;
            try (BoundModel scarce = scarce(bound, FIT, passBytes(weights.config()))) {
                watched = new Watched(scarce, new ArrayList<>());
                found = compute(watched, halved);
            }

            ShardResult.Gradient expected = compute(bound, whole);

            assertThat(watched.tried).startsWith(ROWS).last().isIn(FIT, 1);
            assertThat(found.loss().tokenCount()).isEqualTo(expected.loss().tokenCount());
            assertThat(found.loss().mean()).isCloseTo(expected.loss().mean(), within(ROUNDING));
            assertSame(whole, halved);
        }
    }

    private static long passBytes(ModelConfig config) {
        GpuPassMemory pass = new GpuPassMemory(
                config, SPEC.method(), SPEC.precision(), new BatchShape(TOKENS, FIT, FIT, 1, 1, Recompute.ALL, 1));
        return pass.kept() + Math.max(pass.layer(), pass.loss());
    }

    private static ShardResult.Gradient compute(BoundModel model, FlatVector gradient) {
        return (ShardResult.Gradient)
                new ShardTask(BATCHES, 42, TrainFixture.reader(rows())).compute(model, gradient, 0, 0, Measures.NONE);
    }

    private static List<TokenRow> rows() {
        return RandomWeights.rows(ROWS, TOKENS, VOCABULARY);
    }

    private static void assertSame(FlatVector expected, FlatVector found) {
        double largest = 0;
        double difference = 0;
        for (long i = 0; i < expected.length(); i++) {
            largest = Math.max(largest, Math.abs(expected.get(i)));
            difference = Math.max(difference, Math.abs(expected.get(i) - found.get(i)));
        }

        assertThat(largest).isPositive();
        assertThat(difference).isLessThanOrEqualTo(ROUNDING * largest);
    }

    /** Notes how many rows it is asked for at once. */
    private record Watched(BoundModel bound, List<Integer> tried) implements PassingBound {
        @Override
        public LossTotal addGradient(List<TokenRow> microBatch, FlatVector gradient, long passSeed) {
            tried.add(microBatch.size());
            return bound.addGradient(microBatch, gradient, passSeed);
        }
    }
}

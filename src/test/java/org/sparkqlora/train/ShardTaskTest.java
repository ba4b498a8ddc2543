package org.sparkqlora.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.model.loss.LossTotal.Measures;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.cuda.GpuMemoryException;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.train.metrics.PhaseSeconds;
import org.sparkqlora.train.metrics.ProcessMemory;
import org.sparkqlora.train.metrics.ShardReport;

class ShardTaskTest {
    private static final RowReader ROWS = TrainFixture.reader(TrainFixture.countingRows(50, 3));
    private static final BatchPlan BATCHES = TrainFixture.batches(1, 8, 1);

    @Test
    void aShardThatHasNoRoomBeginsAnewWithHalfTheRowsAndGivesTheSameSum() {
        SmallGpu gpu = new SmallGpu(3);
        FlatVector plain = FlatVector.zeros(gpu.model.parameters().size());
        FlatVector halved = FlatVector.zeros(plain.length());

        ShardResult.Gradient expected = compute(new SmallGpu(8), plain);
        ShardResult.Gradient found = compute(gpu, halved);

        assertThat(gpu.tried).containsExactly(8, 4, 2, 2, 2, 2);
        assertThat(found.loss()).isEqualTo(expected.loss());
        assertThat(found.tokens()).isEqualTo(expected.tokens());
        for (long i = 0; i < plain.length(); i++) {
            assertThat(halved.get(i)).as("element %d", i).isEqualTo(plain.get(i));
        }
    }

    @Test
    void whatASingleRowLacksIsSaidWithWhatToLower() {
        SmallGpu gpu = new SmallGpu(0);
        FlatVector gradient = FlatVector.zeros(gpu.model.parameters().size());

        assertThatThrownBy(() -> compute(gpu, gradient))
                .isInstanceOf(GpuMemoryException.class)
                .hasMessage(
                        "Cannot compute a row on the GPU: CUDA out of memory. Beside the model in 4 bits, activations"
                                + " take its memory: lower --sequence-length, take --recompute all, or fewer tasks a GPU;"
                                + " 'plan' tells what takes how much");
        assertThat(gpu.tried).containsExactly(8, 4, 2, 1);
    }

    @Test
    void theRowsOfTheNextStepAreReadAhead() {
        BatchPlan twoSteps = TrainFixture.batches(2, 8, 2);
        List<long[]> next = new ArrayList<>();
        RowReader rows = new RowReader() {
            @Override
            public long rows() {
                return ROWS.rows();
            }

            @Override
            public TokenRow read(long row) {
                return ROWS.read(row);
            }

            @Override
            public List<TokenRow> readAhead(long[] now, long[] ahead) {
                next.add(ahead);
                return readAll(now);
            }
        };

        for (long step = 0; step < 2; step++) {
            SmallGpu gpu = new SmallGpu(8);
            new ShardTask(twoSteps, 42, rows)
                    .compute(gpu, FlatVector.zeros(gpu.model.parameters().size()), step, 1, Measures.NONE);
        }

        assertThat(next).containsExactly(twoSteps.rowsOf(1, 1, 42), new long[0]);
    }

    @Test
    void readingIsAPartOfTheTimeOfItsTask() {
        ShardResult.Gradient shard = new ShardResult.Gradient(
                0, LossTotal.ZERO, 1, FlatVector.zeros(1), ShardReport.of(new PhaseSeconds(0, 0, 0, 2, 1)));
        ShardReport task = new ShardReport("worker", new PhaseSeconds(1, 1, 1, 0, 5), new ProcessMemory(3, 4));

        ShardReport report = shard.reported(task).report();

        assertThat(report)
                .isEqualTo(new ShardReport("worker", new PhaseSeconds(1, 1, 1, 2, 3), new ProcessMemory(3, 4)));
    }

    private static ShardResult.Gradient compute(SmallGpu gpu, FlatVector gradient) {
        return (ShardResult.Gradient) new ShardTask(BATCHES, 42, ROWS).compute(gpu, gradient, 0, 0, Measures.NONE);
    }

    /** Has room for so many rows at once; of larger ones it adds one before it notices. */
    private static final class SmallGpu implements PassingBound {
        private final int room;
        private final BigramModel model = new BigramModel();
        private final BoundModel bound = model.bind(model.initialParameters(1));
        private final List<Integer> tried = new ArrayList<>();

        private SmallGpu(int room) {
            this.room = room;
        }

        @Override
        public LossTotal addGradient(List<TokenRow> microBatch, FlatVector gradient, long passSeed) {
            tried.add(microBatch.size());
            if (microBatch.size() > room) {
                bound.addGradient(microBatch.subList(0, 1), gradient, passSeed);
                throw new GpuMemoryException("CUDA out of memory");
            }

            return bound.addGradient(microBatch, gradient, passSeed);
        }

        @Override
        public BoundModel bound() {
            return bound;
        }
    }
}

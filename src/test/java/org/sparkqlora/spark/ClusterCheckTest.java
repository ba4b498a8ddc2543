package org.sparkqlora.spark;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.sparkqlora.optim.Paging;
import org.sparkqlora.train.BatchPlan;
import org.sparkqlora.train.BigramModel;
import org.sparkqlora.train.GradientModel;
import org.sparkqlora.train.ModelSource;
import org.sparkqlora.train.TrainFixture;
import org.sparkqlora.train.Wire;

class ClusterCheckTest {
    private static final PreparedData NOWHERE =
            new PreparedData("/no/such/folder", new Manifest("f", 8, List.of(), PreparationCounts.NONE));

    @Test
    void everythingThatIsMissingIsNamedAtOnce() {
        BatchPlan batches = TrainFixture.batches(4, 2, 10);
        TrainingRun run = new TrainingRun(
                TrainFixture.plan(batches), new MissingModel(), NOWHERE, null, Paging.DEFAULT, SnapshotPolicy.DEFAULT);

        ExchangeChoice choice = new ExchangeChoice(
                ExchangeKind.COLLECT, new GradientSize(100_000_000L, 4, Wire.FP32), 1L << 30, "as asked for");
        List<String> problems =
                Clusters.on(Clusters.TWO_SLOTS, context -> new ClusterCheck(context).problems(run, choice));

        assertThat(problems)
                .containsExactly(
                        "Cannot exchange gradients by collect, 1600262144 bytes at once: spark.driver.maxResultSize is 1073741824. Raise it, or take --exchange auto.",
                        "Cannot send a result of 400065536 bytes to the driver: spark.kryoserializer.buffer.max is 67108864. Raise it (2047m is the most), or take --exchange auto.",
                        "127.0.0.1: Cannot open model m: expected a folder",
                        "127.0.0.1: Cannot read prepared rows from /no/such/folder: expected a manifest.json, found none");
    }

    private record MissingModel() implements ModelSource {
        @Override
        public String key() {
            return "missing";
        }

        @Override
        public Optional<String> problem() {
            return Optional.of("Cannot open model m: expected a folder");
        }

        @Override
        public GradientModel open(int threads) {
            return new BigramModel();
        }
    }
}

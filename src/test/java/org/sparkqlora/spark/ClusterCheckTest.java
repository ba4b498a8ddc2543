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

class ClusterCheckTest {
    private static final PreparedData NOWHERE =
            new PreparedData("/no/such/folder", new Manifest("f", 8, List.of(), PreparationCounts.NONE));

    @Test
    void everythingThatIsMissingIsNamedAtOnce() {
        BatchPlan batches = TrainFixture.batches(4, 2, 10);
        TrainingRun run = new TrainingRun(
                TrainFixture.plan(batches), new MissingModel(), NOWHERE, null, Paging.DEFAULT, SnapshotPolicy.DEFAULT);

        List<String> problems =
                Clusters.on(Clusters.TWO_SLOTS, context -> new ClusterCheck(context).problems(run, 100_000_000L));

        assertThat(problems)
                .containsExactly(
                        "Cannot collect 1600262144 bytes of gradients a step: spark.driver.maxResultSize is 1073741824. Raise it, or train with fewer --shards.",
                        "Cannot send a gradient of 400065536 bytes: spark.kryoserializer.buffer.max is 67108864. Raise it; 2047m is the most.",
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

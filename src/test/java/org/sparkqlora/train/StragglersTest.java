package org.sparkqlora.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.sparkqlora.model.LossTotal;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.metrics.PhaseSeconds;
import org.sparkqlora.train.metrics.ProcessMemory;
import org.sparkqlora.train.metrics.ShardReport;
import org.sparkqlora.train.metrics.Straggler;

class StragglersTest {
    private final Stragglers stragglers = new Stragglers();

    @Test
    void noticesAWorkerThatIsSlowForManyStepsOnce() {
        List<Straggler> noticed = new ArrayList<>();
        for (int step = 0; step < 3 * Stragglers.WINDOW; step++) {
            noticed.addAll(stragglers.observe(List.of(shard("a", 100, 1), shard("b", 100, 1.1), shard("c", 100, 2))));
        }

        assertThat(noticed).containsExactly(new Straggler("c", 2));
    }

    @Test
    void forgivesAFirstStepAndAPause() {
        for (int step = 0; step < 3 * Stragglers.WINDOW; step++) {
            double slow = step == 0 || step == Stragglers.WINDOW ? 60 : 1;

            assertThat(stragglers.observe(List.of(shard("a", 100, 1), shard("b", 100, slow))))
                    .isEmpty();
        }
    }

    @Test
    void countsTimeForATokenAndNotForAShard() {
        for (int step = 0; step < 3 * Stragglers.WINDOW; step++) {
            assertThat(stragglers.observe(List.of(shard("a", 100, 1), shard("b", 300, 1.5), shard("b", 300, 4.5))))
                    .isEmpty();
        }
    }

    @Test
    void noOneIsSlowAlone() {
        for (int step = 0; step < 3 * Stragglers.WINDOW; step++) {
            assertThat(stragglers.observe(List.of(shard("a", 1, 100)))).isEmpty();
        }
    }

    private static ShardResult.Gradient shard(String worker, long tokens, double seconds) {
        ShardReport report = new ShardReport(worker, new PhaseSeconds(0, 0, 0, seconds), ProcessMemory.UNKNOWN);
        return new ShardResult.Gradient(0, new LossTotal(1, 1), tokens, FlatVector.zeros(0), report);
    }
}

package org.sparkqlora.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.sparkqlora.model.loss.LossTotal;
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

    @Test
    void aWorkerIsComparedWithTheMedianOfTheOthers() {
        SplittableRandom random = new SplittableRandom(0);
        for (int workers = 2; workers < 40; workers++) {
            double[] paces = random.doubles(workers, 1, 4).map(Math::rint).toArray();

            assertThat(afterEqualSteps(paces)).as(Arrays.toString(paces)).containsExactlyElementsOf(slow(paces));
        }
    }

    @Test
    void aWorkerThatLeftIsForgotten() {
        observe(Stragglers.WINDOW, 1, 1, 1);
        observe(Stragglers.ABSENCE + 1, 1, 1);

        // with the third worker, whose pace was 1, both would be slow
        assertThat(observe(2 * Stragglers.WINDOW, 2, 2)).isEmpty();
    }

    @Test
    void aSlowWorkerThatComesBackIsGivenAgain() {
        assertThat(observe(Stragglers.WINDOW, 1, 2)).containsExactly(new Straggler("1", 2));
        assertThat(observe(Stragglers.ABSENCE + 1, 1)).isEmpty();
        assertThat(observe(Stragglers.WINDOW, 1, 2)).containsExactly(new Straggler("1", 2));
    }

    /** Steps of workers 0, 1, ... with these paces. */
    private List<Straggler> observe(int steps, double... paces) {
        List<ShardResult.Gradient> shards = new ArrayList<>();
        for (int worker = 0; worker < paces.length; worker++) {
            shards.add(shard("" + worker, 1, paces[worker]));
        }

        List<Straggler> noticed = new ArrayList<>();
        for (int step = 0; step < steps; step++) {
            noticed.addAll(stragglers.observe(shards));
        }

        return noticed;
    }

    private static List<Straggler> afterEqualSteps(double[] paces) {
        return new StragglersTest().observe(Stragglers.WINDOW, paces);
    }

    /** The definition: each worker beside the sorted paces of all others. */
    private static List<Straggler> slow(double[] paces) {
        List<Straggler> slow = new ArrayList<>();
        for (int worker = 0; worker < paces.length; worker++) {
            int own = worker;
            double[] others = IntStream.range(0, paces.length)
                    .filter(other -> other != own)
                    .mapToDouble(other -> paces[other])
                    .sorted()
                    .toArray();
            double factor = paces[own] / others[(others.length - 1) / 2];
            if (factor > Stragglers.SLOW) {
                slow.add(new Straggler("" + own, factor));
            }
        }

        return slow;
    }

    private static ShardResult.Gradient shard(String worker, long tokens, double seconds) {
        ShardReport report = new ShardReport(worker, new PhaseSeconds(0, 0, 0, 0, seconds), ProcessMemory.UNKNOWN);
        return new ShardResult.Gradient(0, new LossTotal(1, 1), tokens, FlatVector.zeros(0), report);
    }
}

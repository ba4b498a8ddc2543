package org.sparkqlora.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.quant.GoldenFile;

class LossScaleTest {
    private static final int STEPS = 9000;

    static Stream<String> runs() {
        return GoldenFile.text("optim/loss_scale.txt").lines();
    }

    @ParameterizedTest
    @MethodSource("runs")
    void theScaleIsThatOfTorchAfterEveryStep(String run) {
        String[] parts = run.split("[|]", -1);
        Set<Integer> broken = Stream.of(parts[0].trim().split(" ", -1))
                .filter(step -> !step.isEmpty())
                .map(Integer::valueOf)
                .collect(Collectors.toSet());
        TreeMap<Integer, Float> expected = new TreeMap<>();
        Arrays.stream(parts)
                .skip(1)
                .map(part -> part.trim().split(" ", -1))
                .forEach(change -> expected.put(Integer.valueOf(change[0]), Float.valueOf(change[1])));

        LossScale scale = LossScale.FIRST;
        for (int step = 0; step < STEPS; step++) {
            scale = scale.after(!broken.contains(step));
            assertThat(scale.factor())
                    .as("after step %d", step)
                    .isEqualTo(
                            expected.headMap(step, true).isEmpty()
                                    ? 65536f
                                    : expected.floorEntry(step).getValue());
        }

        assertThat(scale.leftOut()).isEqualTo(broken.size());
    }
}

package org.sparkqlora.model;

import static org.assertj.core.api.Assertions.assertThat;

import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.tensor.BoundedParallelPasses;
import org.sparkqlora.tensor.ComputeThreads;
import org.sparkqlora.tensor.Hardware;

class PassPoolTest {
    @ParameterizedTest(name = "{0} threads, at most {1} at once, {2} passes: {3} lanes of {4}")
    @CsvSource({
        "4, 100, 9, 4, 1",
        "4, 100, 2, 2, 2",
        "4, 3, 9, 3, 1",
        "4, 1, 9, 1, 4",
        "1, 100, 9, 1, 1",
        "4, 100, 0, 1, 4"
    })
    void passesShareTheThreads(int threads, int most, int passes, int lanes, int threadsOfOne) {
        try (PassPool pool = pool(threads, most, Hardware::processor)) {
            BoundedParallelPasses found = pool.lanes(passes);

            assertThat(found.count()).isEqualTo(lanes);
            assertThat(pool.partOf(found).threads()).isEqualTo(threadsOfOne);
        }
    }

    @ParameterizedTest
    @CsvSource({"1", "9"})
    void aDeviceHasOnePass(int passes) {
        try (PassPool pool = pool(4, 100, workers -> Hardware.operationsOnProcessor())) {
            assertThat(pool.lanes(passes).count()).isEqualTo(1);
        }
    }

    private static PassPool pool(int threads, int most, Hardware.Source source) {
        return new PassPool(ComputeThreads.of(threads, source), most, ScalarType.Float);
    }
}

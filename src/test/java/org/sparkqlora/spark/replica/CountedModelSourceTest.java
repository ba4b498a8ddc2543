package org.sparkqlora.spark.replica;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.spark.util.LongAccumulator;
import org.junit.jupiter.api.Test;
import org.sparkqlora.train.BigramModel;
import org.sparkqlora.train.GradientModel;
import org.sparkqlora.train.ModelSource;

class CountedModelSourceTest {
    /** Tells which GPUs it was opened with. */
    private record GpuSource(List<List<String>> opened) implements ModelSource {
        @Override
        public String key() {
            return "gpu";
        }

        @Override
        public Optional<String> problem(List<String> gpus) {
            return Optional.of("GPU " + gpus);
        }

        @Override
        public GradientModel open(int threads) {
            return open(threads, List.of());
        }

        @Override
        public GradientModel open(int threads, List<String> gpus) {
            opened.add(gpus);
            return new BigramModel();
        }
    }

    @Test
    void aModelIsOpenedOnTheGpusOfItsTask() {
        LongAccumulator count = new LongAccumulator();
        GpuSource inner = new GpuSource(new ArrayList<>());
        FixedModel.CountedModelSource source = new FixedModel.CountedModelSource(inner, count);

        source.open(2, List.of("1")).close();
        source.open(2).close();

        assertThat(inner.opened()).containsExactly(List.of("1"), List.of());
        assertThat(count.value()).isEqualTo(2);
        assertThat(source.problem(List.of("1"))).contains("GPU [1]");
    }
}

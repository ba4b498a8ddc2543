package org.sparkqlora.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ComputeThreadTest {
    @Test
    void callsFromManyThreadsRunOnOne() {
        try (ComputeThread compute = new ComputeThread(false)) {
            List<Thread> ran = Stream.generate(() -> compute.call(Thread::currentThread))
                    .parallel()
                    .limit(8)
                    .toList();

            assertThat(ran).containsOnly(ran.get(0)).doesNotContain(Thread.currentThread());
        }
    }

    @Test
    void failuresComeThroughAsTheyAre() {
        IllegalArgumentException failure = new IllegalArgumentException("Cannot compute");
        AssertionError error = new AssertionError("broken");
        try (ComputeThread compute = new ComputeThread(false)) {
            assertThatThrownBy(() -> compute.call(() -> {
                        throw failure;
                    }))
                    .isSameAs(failure)
                    .hasMessage("Cannot compute");
            assertThatThrownBy(() -> compute.call(() -> {
                        throw error;
                    }))
                    .isSameAs(error)
                    .hasMessage("broken");
        }
    }

    @Test
    void anInterruptedCallerStillWaitsAndStaysInterrupted() {
        try (ComputeThread compute = new ComputeThread(false)) {
            Thread.currentThread().interrupt();

            assertThat(compute.call(() -> "done")).isEqualTo("done");
            assertThat(Thread.interrupted()).isTrue();
        }
    }
}

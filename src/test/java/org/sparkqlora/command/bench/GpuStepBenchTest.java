package org.sparkqlora.command.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.sparkqlora.tensor.cuda.Gpu;

/** On a GPU that nothing else uses. */
@Tag("gpu")
class GpuStepBenchTest extends StepBenchContract {
    /** The tolerance of the estimate. */
    private static final double SHARE = 0.15;

    @Override
    String device() {
        return "cuda";
    }

    @Test
    void aStepTakesTheMemoryThatPlanEstimatesAndAShareOfWhatTheCardPromises() throws IOException {
        JsonNode figures = bench(
                "--shape", "smollm2-360m", "--sequence-length", "1024", "--batch-size", "8", "--micro-batch-size", "8");

        assertThat(figures.at("/memory/gpu_taken_to_planned").asDouble()).isCloseTo(1, within(SHARE));
        try (Gpu gpu = Gpu.open(0)) {
            CardPeak.of(gpu.name())
                    .ifPresent(peak -> assertThat(figures.at("/step/share_of_recompute_roofline")
                                    .asDouble())
                            .isBetween(0.0, 1.0));
        }
    }
}

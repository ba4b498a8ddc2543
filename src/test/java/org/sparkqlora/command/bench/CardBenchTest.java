package org.sparkqlora.command.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.memory.GpuMemoryPlan;
import org.sparkqlora.memory.GpuMemoryUse;

class CardBenchTest {
    /** Names are those that the driver gives. */
    @ParameterizedTest
    @CsvSource({
        "NVIDIA B200, 2250",
        "NVIDIA H200 NVL, 835",
        "NVIDIA H200, 989",
        "NVIDIA H100 NVL, 835",
        "NVIDIA H100 PCIe, 756",
        "NVIDIA H100 80GB HBM3, 989",
        "NVIDIA A100-SXM4-80GB, 312",
        "NVIDIA A100-PCIE-40GB, 312",
        "NVIDIA L40S, 362",
        "NVIDIA L40, 181",
        "NVIDIA L4, 121",
        "NVIDIA A40, 149.7",
        "NVIDIA A30, 165",
        "NVIDIA A10G, 70",
        "NVIDIA A10, 125",
        "Tesla T4, 65",
        "NVIDIA GeForce RTX 4090, 165.2",
        "NVIDIA GeForce RTX 3090, 71"
    })
    void aNameTellsWhatTheCardPromises(String name, double teraOperations) {
        assertThat(CardPeak.of(name)).hasValue(teraOperations * 1e12);
    }

    @ParameterizedTest
    @ValueSource(strings = {"NVIDIA RTX A1000", "NVIDIA T400", "NVIDIA A2", "the host"})
    void anotherCardPromisesNothingThatIsKnown(String name) {
        assertThat(CardPeak.of(name)).isEmpty();
    }

    @Test
    void memoryStandsBesideThePlan() {
        GpuMemoryPlan plan = new GpuMemoryPlan(Map.of(GpuMemoryUse.WEIGHTS, 4_000L));
        CardBench card = new CardBench("Tesla T4", 3_000, plan);

        assertThat(card.figures())
                .containsExactly(
                        new Figure("gpu", "peak_tflops", 65),
                        new Figure("memory", "gpu_taken_bytes", 3_000),
                        new Figure("memory", "gpu_planned_bytes", 4_000),
                        new Figure("memory", "gpu_taken_to_planned", 0.75));
        assertThat(new CardBench("another", 3_000, plan).figures())
                .extracting(Figure::group)
                .containsOnly("memory");
    }
}

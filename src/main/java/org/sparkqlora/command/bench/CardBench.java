package org.sparkqlora.command.bench;

import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.Stream;
import org.sparkqlora.memory.GpuMemoryPlan;
import org.sparkqlora.tensor.cuda.Gpu;

/**
 * A GPU after steps were measured on it.
 *
 * @param name as the driver calls it
 * @param takenBytes of its memory, by whichever process
 * @param plan what was to be expected
 */
record CardBench(String name, long takenBytes, GpuMemoryPlan plan) {
    private static final double TERA = 1e12;

    static CardBench of(Gpu gpu, GpuMemoryPlan plan) {
        return new CardBench(gpu.name(), gpu.takenBytes(), plan);
    }

    /** Operations a second that the card promises; nothing where the name tells none. */
    OptionalDouble peak() {
        return CardPeak.of(name);
    }

    List<Figure> figures() {
        Stream<Figure> peak =
                peak().stream().mapToObj(operations -> new Figure("gpu", "peak_tflops", operations / TERA));
        Stream<Figure> memory = Stream.of(
                new Figure("memory", "gpu_taken_bytes", takenBytes),
                new Figure("memory", "gpu_planned_bytes", plan.cardBytes()),
                new Figure("memory", "gpu_taken_to_planned", (double) takenBytes / plan.cardBytes()));
        return Stream.concat(peak, memory).toList();
    }
}

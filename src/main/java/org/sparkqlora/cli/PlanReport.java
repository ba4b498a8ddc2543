package org.sparkqlora.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.train.MemoryComparison;
import org.sparkqlora.train.MemoryPlan;
import org.sparkqlora.train.MemoryUse;
import org.sparkqlora.weights.DecoderTensors;
import org.sparkqlora.weights.ModelConfig;

/**
 * What the command found out, as a table for people.
 *
 * @param plans of the options
 * @param usual of the options that articles compare
 * @param machineBytes memory of this machine
 * @param measurements of a run of each method; none unless asked for
 */
record PlanReport(
        ModelConfig config,
        MemoryComparison plans,
        MemoryComparison usual,
        long machineBytes,
        List<Measurement> measurements) {
    /** Sizes of common GPUs, in 10^9 bytes: the few per cent up to 2^30 are the driver's. */
    static final List<Integer> GPU_SIZES = List.of(24, 48, 80);

    private static final double GIGA = 1e9;
    private static final double MEGA = 1e6;

    PlanReport {
        measurements = List.copyOf(measurements);
    }

    List<String> lines() {
        List<String> lines = new ArrayList<>();
        lines.add(model());
        lines.add("");
        lines.add(row(
                "%s of one executor".formatted(unit() == GIGA ? "GB" : "MB"),
                plan -> plan.method().optionName()));
        for (MemoryUse use : MemoryUse.values()) {
            lines.add(row(use.label(), plan -> amount(plan.bytes(use))));
        }

        lines.add(row("together (loss after or before the one layer)", plan -> amount(plan.executorBytes())));
        lines.add(row("  in Java's heap (spark.executor.memory)", plan -> amount(plan.heapBytes())));
        lines.add(row(
                "  beside it (spark.executor.memoryOverhead)",
                plan -> amount(plan.executorBytes() - plan.heapBytes())));
        lines.add(row("scratch files of an executor, for pages", plan -> amount(plan.fileBytes())));
        lines.add(row("driver", plan -> amount(plan.driverBytes())));
        lines.add(row("all executors and the driver", plan -> amount(plan.totalBytes())));
        lines.add("");
        GPU_SIZES.forEach(size ->
                lines.add(row("fits on a GPU of %d GB".formatted(size), plan -> answer(fitsGpu(plan, size)))));
        lines.add(row(
                "fits in this machine's %.1f GB".formatted(machineBytes / GIGA), plan -> answer(fitsMachine(plan))));
        lines.add("");
        lines.addAll(usualFigures());
        measurements.forEach(measurement -> lines.add(measured(measurement)));
        return lines;
    }

    /** An executor's part on a GPU; what is paged stays with the host. */
    boolean fitsGpu(MemoryPlan plan, int size) {
        return plan.deviceBytes() <= size * GIGA;
    }

    boolean fitsMachine(MemoryPlan plan) {
        return plan.totalBytes() <= machineBytes;
    }

    long parameters() {
        return DecoderTensors.of(config).elements();
    }

    /** What double quantisation takes off the 32 / 64 bits a weight that plain scales cost. */
    static double bitsSaved() {
        QuantSpec nested = QuantSpec.DEFAULT;
        return new QuantSpec(nested.code(), nested.blockSize(), false).bitsPerWeight() - nested.bitsPerWeight();
    }

    private String model() {
        return "%.2fB parameters: %s, %d layers of width %d, %d heads, feed-forward %d, vocabulary %d"
                .formatted(
                        parameters() / GIGA,
                        config.modelType(),
                        config.layers(),
                        config.hiddenSize(),
                        config.heads(),
                        config.intermediateSize(),
                        config.vocabularySize());
    }

    private List<String> usualFigures() {
        MemoryPlan full = usual.full();
        return List.of(
                "As usually told, in GB: full (float32, AdamW) %.0f weights + %.0f gradients + %.0f optimiser = %.0f;"
                        .formatted(
                                full.bytes(MemoryUse.WEIGHTS) / GIGA,
                                full.bytes(MemoryUse.GRADIENTS) / GIGA,
                                full.bytes(MemoryUse.OPTIMIZER_RESIDENT) / GIGA,
                                full.stateBytes() / GIGA),
                "  in bf16, LoRA %.1f and QLoRA %.1f an executor. Double quantisation: %.3f bits a weight less, of 4.5."
                        .formatted(
                                usual.lora().executorBytes() / GIGA,
                                usual.qlora().executorBytes() / GIGA,
                                bitsSaved()));
    }

    private static String measured(Measurement measurement) {
        return "%s, one executor: %.0f MB predicted, %.0f MB measured (%+.0f %%)"
                .formatted(
                        measurement.method().optionName(),
                        measurement.predicted() / MEGA,
                        measurement.measured() / MEGA,
                        100 * measurement.excess());
    }

    private String row(String label, Function<MemoryPlan, String> cell) {
        return plans.all().stream()
                .map(plan -> "%10s".formatted(cell.apply(plan)))
                .collect(Collectors.joining("", "%-46s".formatted(label), ""));
    }

    private static String answer(boolean fits) {
        return fits ? "yes" : "no";
    }

    private String amount(long bytes) {
        if (bytes == 0) {
            return "-";
        }

        return String.format(Locale.ROOT, unit() == GIGA ? "%.2f" : "%.1f", bytes / unit());
    }

    /** Megabytes for models that would show as zeros in gigabytes. */
    private double unit() {
        return plans.full().executorBytes() < 10 * GIGA ? MEGA : GIGA;
    }
}

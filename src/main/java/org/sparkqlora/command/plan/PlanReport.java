package org.sparkqlora.command.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.sparkqlora.memory.GpuMemoryPlan;
import org.sparkqlora.memory.GpuMemoryUse;
import org.sparkqlora.memory.MemoryComparison;
import org.sparkqlora.memory.MemoryPlan;
import org.sparkqlora.memory.MemoryUse;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.weights.family.DecoderTensors;
import org.sparkqlora.weights.family.Mixture;
import org.sparkqlora.weights.family.ModelConfig;

/**
 * The plans as tables for people.
 *
 * @param plans of the options
 * @param usual of the options that articles compare
 * @param cards a GPU of each of {@code plans}
 * @param showsCards whether people want to see what a GPU's memory is for
 * @param machineBytes memory of this machine
 * @param measurements of a run of each method; none unless asked for
 */
record PlanReport(
        ModelConfig config,
        MemoryComparison plans,
        MemoryComparison usual,
        Map<Method, CardPlan> cards,
        boolean showsCards,
        long machineBytes,
        List<Measurement> measurements) {
    private static final double GIGA = 1e9;
    private static final double MEGA = 1e6;

    PlanReport {
        cards = Map.copyOf(cards);
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
        if (showsCards) {
            lines.addAll(cardLines());
        }

        CardPlan.SIZES.forEach(size -> {
            lines.add(row(
                    String.format(Locale.ROOT, "fits on a GPU of %d GB", size), plan -> answer(fitsGpu(plan, size))));
            lines.add(row(
                    "  rows that may pass at once, at most",
                    plan -> count(card(plan).mostRows(size))));
        });
        lines.add(row(
                String.format(Locale.ROOT, "fits in this machine's %.1f GB", machineBytes / GIGA),
                plan -> answer(fitsMachine(plan))));
        lines.add("");
        lines.addAll(usualFigures());
        measurements.forEach(measurement -> lines.add(measured(measurement)));
        return lines;
    }

    /** An executor's part on a GPU; what is paged stays with the host. */
    boolean fitsGpu(MemoryPlan plan, int size) {
        return card(plan).fits(size);
    }

    CardPlan card(MemoryPlan plan) {
        CardPlan card = cards.get(plan.method());
        if (card == null) {
            throw new IllegalStateException(
                    "Cannot find the GPU of " + plan.method().optionName());
        }

        return card;
    }

    private List<String> cardLines() {
        List<String> lines = new ArrayList<>();
        lines.add(row(
                "%s of one GPU, estimated and not measured".formatted(unit() == GIGA ? "GB" : "MB"),
                plan -> plan.method().optionName()));
        for (GpuMemoryUse use : GpuMemoryUse.values()) {
            if (use.place() == GpuMemoryUse.Place.CARD) {
                lines.add(row(use.label(), plan -> amount(card(plan).memory().bytes(use))));
            }
        }

        lines.add(row(
                "together (loss after or before the one layer)",
                plan -> amount(card(plan).memory().cardBytes())));
        lines.add(row("its executor: in Java's heap", plan -> amount(plan.heapBytes())));
        lines.add(row("its executor: beside the heap", plan -> amount(besideHeap(plan))));
        lines.add("");
        return lines;
    }

    /** Of an executor with one GPU. */
    static long besideHeap(MemoryPlan plan, GpuMemoryPlan card) {
        return plan.bytes(MemoryUse.PROCESS) + card.hostBytes() + plan.blockBytes();
    }

    private long besideHeap(MemoryPlan plan) {
        return besideHeap(plan, card(plan).memory());
    }

    boolean fitsMachine(MemoryPlan plan) {
        return plan.totalBytes() <= machineBytes;
    }

    long parameters() {
        return DecoderTensors.of(config).elements();
    }

    /** The bits a weight that double quantisation takes off the 32 / 64 of plain scales. */
    static double bitsSaved() {
        QuantSpec nested = QuantSpec.DEFAULT;
        return new QuantSpec(nested.code(), nested.blockSize(), false).bitsPerWeight() - nested.bitsPerWeight();
    }

    private String model() {
        return String.format(
                Locale.ROOT,
                "%.2fB parameters%s: %s, %d layers of width %d, %d heads, feed-forward %d, vocabulary %d",
                parameters() / GIGA,
                experts(),
                config.modelType(),
                config.layers(),
                config.hiddenSize(),
                config.heads(),
                config.traits().mixture().map(Mixture::width).orElse(config.intermediateSize()),
                config.vocabularySize());
    }

    /** Nothing of a model that has none. */
    private String experts() {
        return config.traits()
                .mixture()
                .map(mixture -> String.format(
                        Locale.ROOT,
                        ", %.2fB a token, of %d experts %d",
                        DecoderTensors.of(config).activeElements() / GIGA,
                        mixture.experts(),
                        mixture.perToken()))
                .orElse("");
    }

    private List<String> usualFigures() {
        MemoryPlan full = usual.full();
        return List.of(
                String.format(
                        Locale.ROOT,
                        "As usually told, in GB: full (float32, AdamW) %.0f weights + %.0f gradients + %.0f optimiser = %.0f;",
                        full.bytes(MemoryUse.WEIGHTS) / GIGA,
                        full.bytes(MemoryUse.GRADIENTS) / GIGA,
                        full.bytes(MemoryUse.OPTIMIZER_RESIDENT) / GIGA,
                        full.stateBytes() / GIGA),
                String.format(
                        Locale.ROOT,
                        "  in bf16, LoRA %.1f and QLoRA %.1f an executor. Double quantisation: %.3f bits a weight less, of 4.5.",
                        usual.lora().executorBytes() / GIGA,
                        usual.qlora().executorBytes() / GIGA,
                        bitsSaved()));
    }

    private static String measured(Measurement measurement) {
        return String.format(
                Locale.ROOT,
                "%s, one executor: %.0f MB predicted, %.0f MB measured (%+.0f %%)",
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

    private static String count(int rows) {
        return rows == 0 ? "-" : Integer.toString(rows);
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

    /**
     * The peak memory of a process that trained as one executor would.
     *
     * @param predicted bytes that the plan says
     * @param measured bytes that it was
     */
    record Measurement(Method method, long predicted, long measured) {
        /** The prediction's distance above (or, negative, below) the measured value, as a share of that. */
        double excess() {
            return (double) predicted / measured - 1;
        }
    }
}

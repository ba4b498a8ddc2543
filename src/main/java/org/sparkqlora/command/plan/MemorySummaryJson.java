package org.sparkqlora.command.plan;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Locale;
import org.sparkqlora.memory.GpuMemoryUse;
import org.sparkqlora.memory.MemoryComparison;
import org.sparkqlora.memory.MemoryPlan;
import org.sparkqlora.memory.MemoryUse;

/** The summary of {@code plan}: in bytes, and costs in seconds. */
final class MemorySummaryJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private MemorySummaryJson() {}

    static String summary(PlanReport report, List<CostReport.ClusterCost> costs, List<WindowCost> windows) {
        ObjectNode root = MAPPER.createObjectNode();
        root.put("command", "plan");
        root.put("parameters", report.parameters());
        root.put("machine_bytes", report.machineBytes());
        ObjectNode methods = root.putObject("methods");
        report.plans()
                .all()
                .forEach(plan ->
                        write(plan, report, methods.putObject(plan.method().optionName())));
        writeUsual(report.usual(), root.putObject("as_usually_told"));
        root.put("bits_per_weight", report.plans().qlora().spec().quant().bitsPerWeight());
        root.put("bits_saved_by_double_quantization", PlanReport.bitsSaved());
        costs.forEach(cost -> write(cost, root.withArray("/costs")));
        windows.forEach(window -> write(window, root.withObject("/base_memory")));
        report.measurements().forEach(measurement -> write(measurement, root.withObject("/measured")));
        return root.toString();
    }

    private static void write(CostReport.ClusterCost cost, ArrayNode costs) {
        costs.addObject()
                .put("method", cost.method().optionName())
                .put("executors", cost.step().executors())
                .put("shards", cost.step().shards())
                .put("batch_size", cost.step().batchSize())
                .put("compute_seconds", cost.seconds().compute())
                .put("exchange_seconds", cost.seconds().exchange())
                .put("driver_seconds", cost.seconds().driver())
                .put("share_of_ideal", cost.seconds().shareOfIdeal());
    }

    private static void write(WindowCost window, ObjectNode node) {
        node.putObject(window.method().optionName())
                .put("bytes", window.base().bytes())
                .put("least_bytes", window.least())
                .put("least_executor_bytes", window.leastExecutorBytes())
                .put("read_bytes", window.readBytes())
                .put("disk_bytes_per_second", window.disk().bytesPerSecond())
                .put("read_seconds", window.readSeconds())
                .put("compute_seconds", window.computeSeconds())
                .put("share", window.share());
    }

    private static void write(PlanReport.Measurement measurement, ObjectNode node) {
        node.putObject(measurement.method().optionName())
                .put("predicted_bytes", measurement.predicted())
                .put("measured_bytes", measurement.measured());
    }

    private static void write(MemoryPlan plan, PlanReport report, ObjectNode node) {
        ObjectNode uses = node.putObject("executor");
        for (MemoryUse use : MemoryUse.values()) {
            uses.put(use.optionName(), plan.bytes(use));
        }

        node.put("executor_bytes", plan.executorBytes());
        node.put("executor_heap_bytes", plan.heapBytes());
        node.put("executor_file_bytes", plan.fileBytes());
        writeCard(report.card(plan), node);
        node.put("driver_bytes", plan.driverBytes());
        node.put("total_bytes", plan.totalBytes());
        ObjectNode fits = node.putObject("fits");
        CardPlan.SIZES.forEach(size -> fits.put(key(size), report.fitsGpu(plan, size)));
        fits.put("machine", report.fitsMachine(plan));
    }

    private static void writeCard(CardPlan card, ObjectNode node) {
        ObjectNode uses = node.putObject("gpu");
        for (GpuMemoryUse use : GpuMemoryUse.values()) {
            if (card.memory().has(use)) {
                uses.put(use.optionName(), card.memory().bytes(use));
            }
        }

        node.put("gpu_bytes", card.memory().cardBytes());
        ObjectNode mostRows = node.putObject("gpu_most_rows");
        CardPlan.SIZES.forEach(size -> mostRows.put(key(size), card.mostRows(size)));
    }

    private static String key(int size) {
        return String.format(Locale.ROOT, "gpu_%d_gb", size);
    }

    private static void writeUsual(MemoryComparison usual, ObjectNode node) {
        ObjectNode full = node.putObject("full");
        full.put("weights", usual.full().bytes(MemoryUse.WEIGHTS));
        full.put("gradients", usual.full().bytes(MemoryUse.GRADIENTS));
        full.put("optimizer", usual.full().bytes(MemoryUse.OPTIMIZER_RESIDENT));
        full.put("total", usual.full().stateBytes());
        node.putObject("lora").put("total", usual.lora().executorBytes());
        node.putObject("qlora").put("total", usual.qlora().executorBytes());
    }
}

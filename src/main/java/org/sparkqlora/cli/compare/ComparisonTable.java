package org.sparkqlora.cli.compare;

import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.sparkqlora.cli.plan.MethodRun;

/** Methods side by side, in Markdown. */
final class ComparisonTable {
    private static final double MEGA = 1e6;

    private final List<MethodRun> runs;

    ComparisonTable(List<MethodRun> runs) {
        this.runs = List.copyOf(runs);
    }

    List<String> lines() {
        return List.of(
                row("", run -> run.method().optionName()),
                "|---|" + "---|".repeat(runs.size()),
                row("trained parameters", run -> String.format(Locale.ROOT, "%,d", run.trainedParameters())),
                row("peak memory, MB", run -> inMegabytes(run.peakBytes(), "%,.0f")),
                row("tokens/s", run -> format("%.0f", run.tokensPerSecond())),
                row("loss of the last step", run -> format("%.3f", run.lastLoss())),
                row("loss on held-out rows", ComparisonTable::evaluation),
                row("published, MB", run -> inMegabytes(run.resultBytes(), "%,.1f")));
    }

    private static String evaluation(MethodRun run) {
        return run.evaluationLoss().isPresent()
                ? format("%.3f", run.evaluationLoss().getAsDouble())
                : "-";
    }

    private String row(String label, Function<MethodRun, String> cell) {
        return runs.stream().map(cell).collect(Collectors.joining(" | ", "| %s | ".formatted(label), " |"));
    }

    private static String inMegabytes(long bytes, String format) {
        return format(format, bytes / MEGA);
    }

    private static String format(String format, double value) {
        return String.format(Locale.ROOT, format, value);
    }
}

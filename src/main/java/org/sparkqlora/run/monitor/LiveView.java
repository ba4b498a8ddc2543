package org.sparkqlora.run.monitor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.sparkqlora.spark.watch.CurvePoint;
import org.sparkqlora.spark.watch.MemorySeen;
import org.sparkqlora.spark.watch.RunView;

/**
 * A run on two lines of a terminal.
 *
 * @param width columns of the terminal
 */
record LiveView(int width) {
    private static final String BARS = "▁▂▃▄▅▆▇█";
    private static final int LONGEST_SPARKLINE = 40;
    private static final int PROGRESS = 16;
    private static final double GIGA = 1e9;
    private static final double WORTH_TELLING = 0.01;

    /** Neither is wider than the terminal, whose last column stays free: some terminals break the line there. */
    List<String> lines(RunView run) {
        return List.of(cut(losses(run)), cut(progress(run)));
    }

    private String losses(RunView run) {
        List<CurvePoint> loss = run.curves().loss();
        List<CurvePoint> heldOut = run.curves().heldOut();
        List<CurvePoint> rate = run.curves().learningRate();
        String newest =
                String.format(Locale.ROOT, "  %.4f", loss.get(loss.size() - 1).mean());
        String evaluated = heldOut.isEmpty()
                ? ""
                : String.format(
                        Locale.ROOT,
                        "  held out %.4f",
                        heldOut.get(heldOut.size() - 1).mean());
        String learning = String.format(
                Locale.ROOT, "  lr %.2e", rate.get(rate.size() - 1).mean());
        String rest = newest + evaluated + learning;
        int room = Math.min(LONGEST_SPARKLINE, width - 1 - "loss ".length() - rest.length());
        return "loss " + sparkline(loss, Math.max(1, room)) + rest;
    }

    private String progress(RunView run) {
        List<CurvePoint> speed = run.curves().tokensPerSecond();
        List<String> parts = new ArrayList<>();
        parts.add(String.format(Locale.ROOT, "step %d/%d %s", run.step(), run.steps(), bar(run.progress())));
        parts.add(String.format(
                Locale.ROOT, "%.0f tokens/s", speed.get(speed.size() - 1).mean()));
        parts.add(left(run.secondsLeft()) + " left");
        memory(run, parts);
        parts.add(phases(run));
        return String.join("  ", parts);
    }

    private static void memory(RunView run, List<String> parts) {
        run.memory().stream()
                .mapToLong(MemorySeen::peakBytes)
                .max()
                .ifPresent(peak -> parts.add(String.format(Locale.ROOT, "%.1f GB", peak / GIGA)));
    }

    private static String phases(RunView run) {
        double all = run.phases().total();
        return run.phases().byName().entrySet().stream()
                .filter(phase -> phase.getValue() > WORTH_TELLING * all)
                .sorted(Map.Entry.<String, Double>comparingByValue().reversed())
                .map(phase -> String.format(Locale.ROOT, "%s %.0f%%", phase.getKey(), 100 * phase.getValue() / all))
                .collect(Collectors.joining(" "));
    }

    /** The newest part of a curve, each column the mean of as many points. */
    static String sparkline(List<CurvePoint> points, int columns) {
        int used = Math.min(columns, points.size());
        double[] heights = new double[used];
        for (int i = 0; i < used; i++) {
            heights[i] = points.subList(i * points.size() / used, (i + 1) * points.size() / used).stream()
                    .mapToDouble(CurvePoint::mean)
                    .average()
                    .orElse(0);
        }

        return bars(heights);
    }

    private static String bars(double[] heights) {
        double low = Arrays.stream(heights).min().orElse(0);
        double high = Arrays.stream(heights).max().orElse(0);
        StringBuilder line = new StringBuilder();
        for (double height : heights) {
            double share = high > low ? (height - low) / (high - low) : 0.5;
            line.append(BARS.charAt((int) Math.round(share * (BARS.length() - 1))));
        }

        return line.toString();
    }

    private static String bar(double share) {
        int full = (int) Math.round(share * PROGRESS);
        return "█".repeat(full) + "░".repeat(PROGRESS - full);
    }

    static String left(double secondsLeft) {
        long seconds = Math.round(secondsLeft);
        return seconds < 3600
                ? String.format(Locale.ROOT, "%d:%02d", seconds / 60, seconds % 60)
                : String.format(Locale.ROOT, "%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
    }

    private String cut(String line) {
        return line.length() < width ? line : line.substring(0, Math.max(0, width - 1));
    }
}

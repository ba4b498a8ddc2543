package org.sparkqlora.command.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The measurements as a table for people.
 *
 * @param model its name
 * @param figures in the order of their groups
 */
record BenchReport(String model, BenchSetting setting, List<Figure> figures) {
    private static final double LARGE = 1e6;

    BenchReport {
        figures = List.copyOf(figures);
    }

    List<String> lines() {
        List<String> lines = new ArrayList<>();
        lines.add(String.format(
                Locale.ROOT,
                "%s, %d threads, %d x %d tokens a step, %d rows at once, rank %d",
                model,
                setting.threads(),
                setting.batchSize(),
                setting.sequenceLength(),
                setting.microBatchSize(),
                setting.rank()));
        figures.forEach(figure -> lines.add(line(figure)));
        return lines;
    }

    private static String line(Figure figure) {
        String value = figure.value() < LARGE
                ? String.format(Locale.ROOT, "%,.3f", figure.value())
                : String.format(Locale.ROOT, "%,.1f M", figure.value() / LARGE);
        return "%-10s %-42s %14s".formatted(figure.group(), figure.name().replace('_', ' '), value);
    }

    /**
     * The setting of a measurement.
     *
     * @param threads threads to compute with
     * @param sequenceLength tokens a row
     * @param batchSize rows a step
     * @param microBatchSize rows that pass through the model at once
     * @param rank of the adapters
     */
    record BenchSetting(int threads, int sequenceLength, int batchSize, int microBatchSize, int rank) {}
}

package org.sparkqlora.run.prepare;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.sparkqlora.spark.prepare.PreparationCounts;
import org.sparkqlora.spark.prepare.PreparationReport;

/** The report on prepared data as text. */
record ReportText(String sources, PreparationReport report) {
    private static final int BAR = 40;

    /** The lines that {@code train} prints before it begins: the size, and likely mistakes. */
    List<String> summary() {
        PreparationCounts counts = report.counts();
        List<String> lines = new ArrayList<>();
        lines.add(line(
                "%s: %d examples, %d rows, %d tokens of which %d trained",
                sources, counts.examples(), counts.rows(), counts.tokens(), counts.trainedTokens()));
        lines.add(line(
                "  %.1f %% of the rows is padding; with an example a row it would be %.1f %%",
                100 * report.padding(), 100 * report.paddingUnpacked()));
        addIfAny(lines, counts.truncated(), "%d examples were longer than a row and were cut");
        addIfAny(
                lines,
                counts.untrained(),
                "%d examples were left out: they have no trained token, or two equal answers");
        addIfAny(lines, counts.bad(), "%d lines are no records and were left out");
        addIfAny(
                lines,
                report.duplicates(),
                report.duplicatesEstimated()
                        ? "about %d examples are there already, to judge by a part of them"
                        : "%d examples are there already");
        addIfAny(
                lines,
                report.doubleBos(),
                "%d examples begin with BOS twice: does the template write one before the tokenizer's own?");
        addIfAny(
                lines,
                report.doubleEnd(),
                "%d examples have their end token twice: does the data hold one beside the template's?");
        addIfAny(
                lines,
                report.missingEnd(),
                "%d examples end without a control token that is trained, so that nothing in them teaches the model to stop");
        addIfAny(
                lines,
                report.changedPrompts(),
                "%d examples have a prompt whose last tokens change where an answer follows: they are left out of it, and the model trains on another prompt than it will be asked");
        return lines;
    }

    /** The lines beyond the summary: packing efficiency and lengths. */
    List<String> details() {
        List<String> lines = new ArrayList<>();
        lines.add(line(
                "  packing efficiency %.1f %%: rows without any padding, as a share of the rows there are",
                100 * report.packingEfficiency()));
        lines.add(line("  %d tokens were cut off", report.cutTokens()));
        lines.add(line(
                "examples by length in tokens, before they were cut to %d; the longest has %d",
                report.width(), report.longest()));
        lines.addAll(histogram());
        return lines;
    }

    private List<String> histogram() {
        List<Long> lengths = report.lengths();
        long most =
                Math.max(1, lengths.stream().mapToLong(Long::longValue).max().orElse(1));
        int first = firstUsed(lengths);
        List<String> lines = new ArrayList<>();
        for (int i = first; i < lengths.size() && 1L << i <= report.longest(); i++) {
            long examples = lengths.get(i);
            String bar = "#".repeat(Math.toIntExact((examples * BAR + most - 1) / most));
            lines.add(line("  %9d to %9d  %10d  %s", 1L << i, (1L << i + 1) - 1, examples, bar)
                    .stripTrailing());
        }

        return lines;
    }

    private static int firstUsed(List<Long> lengths) {
        int first = 0;
        while (first < lengths.size() && lengths.get(first) == 0) {
            first++;
        }

        return first;
    }

    private static void addIfAny(List<String> lines, long count, String message) {
        if (count > 0) {
            lines.add(line("  " + message, count));
        }
    }

    private static String line(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}

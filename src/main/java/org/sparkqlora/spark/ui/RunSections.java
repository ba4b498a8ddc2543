package org.sparkqlora.spark.ui;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.sparkqlora.spark.watch.CurvePoint;
import org.sparkqlora.spark.watch.FaultSeen;
import org.sparkqlora.spark.watch.MemorySeen;
import org.sparkqlora.spark.watch.RunCurves;
import org.sparkqlora.spark.watch.RunView;

/** The parts of a page about one run. */
record RunSections(RunView run) {
    private static final String EVALUATION = "eval_";

    String html() {
        return head() + tiles() + curves() + phases() + memory() + faults() + parameters();
    }

    /** The name and progress of the run. */
    String head() {
        return "<header><h1>%s</h1><p class=\"state %s\"><strong>%s</strong> %s</p>%s</header>"
                .formatted(
                        Html.escape(run.name()),
                        run.outcome().name().toLowerCase(Locale.ROOT),
                        outcome(),
                        Html.escape(progressText()),
                        progressBar());
    }

    /** The newest values. */
    String tiles() {
        RunCurves curves = run.curves();
        List<String> tiles = new ArrayList<>();
        tiles.add(tile("Loss", last(curves.loss())));
        if (!curves.heldOut().isEmpty()) {
            tiles.add(tile("Held-out loss", last(curves.heldOut())));
        }

        tiles.add(tile("Tokens a second", last(curves.tokensPerSecond())));
        tiles.add(tile("Learning rate", last(curves.learningRate())));
        if (!curves.gradientNorm().isEmpty()) {
            tiles.add(tile("Gradient norm", last(curves.gradientNorm())));
        }

        run.memory().stream()
                .mapToLong(MemorySeen::peakBytes)
                .max()
                .ifPresent(peak -> tiles.add(tile("Peak memory", Amount.bytes(peak))));
        return "<div class=\"tiles\">" + String.join("", tiles) + "</div>";
    }

    String curves() {
        RunCurves curves = run.curves();
        List<CurvePoint> loss = curves.loss();
        List<Line> losses = new ArrayList<>(Line.withTrend(loss));
        losses.add(new Line("held out", Line.Look.MARKED, curves.heldOut()));
        List<Chart> charts = new ArrayList<>(List.of(
                new Chart("loss", "Loss", "", Chart.Base.LEAST_VALUE, losses),
                chart("rate", "Learning rate", "", curves.learningRate()),
                new Chart(
                        "norm",
                        "Gradient norm, before clipping",
                        "",
                        Chart.Base.ZERO,
                        Line.withTrend(curves.gradientNorm())),
                chart("speed", "Tokens a second", "tokens/s", curves.tokensPerSecond())));
        charts.addAll(measures(curves.measures()));
        StringBuilder html = new StringBuilder();
        charts.forEach(chart -> html.append(chart.html()));
        return Html.section("Curves", "<div class=\"charts\">" + html + "</div>");
    }

    /** A chart for each measure, with its value on held-out rows. */
    private static List<Chart> measures(Map<String, List<CurvePoint>> measures) {
        List<Chart> charts = new ArrayList<>();
        measures.forEach((name, points) -> {
            if (!name.startsWith(EVALUATION)) {
                List<Line> lines = new ArrayList<>(Line.withTrend(points));
                lines.add(new Line("held out", Line.Look.MARKED, measures.getOrDefault(EVALUATION + name, List.of())));
                charts.add(new Chart(name.replace('/', '-'), name, "", Chart.Base.LEAST_VALUE, lines));
            }
        });
        return charts;
    }

    String phases() {
        double all = run.phases().total();
        if (all == 0) {
            return "";
        }

        StringBuilder bar = new StringBuilder("<div class=\"phases\" aria-hidden=\"true\">");
        List<List<String>> rows = new ArrayList<>();
        int number = 0;
        for (Map.Entry<String, Double> phase : run.phases().byName().entrySet()) {
            double share = phase.getValue() / all;
            bar.append(String.format(
                    Locale.ROOT, "<span class=\"phase%d\" style=\"width:%.3f%%\"></span>", number++, 100 * share));
            rows.add(List.of(
                    phase.getKey(),
                    Amount.percent(share),
                    Amount.duration(phase.getValue()),
                    PhaseMeaning.of(phase.getKey())));
        }

        String table = Html.table("Seconds of all steps so far", List.of("Phase", "Share", "Time", "What"), rows);
        return Html.section("Where the time goes", bar + "</div><div class=\"legend amounts\">" + table + "</div>");
    }

    String memory() {
        if (run.memory().isEmpty()) {
            return "";
        }

        long planned = run.plannedBytes();
        long most = Math.max(
                planned,
                run.memory().stream().mapToLong(MemorySeen::peakBytes).max().orElse(0));
        StringBuilder bars = new StringBuilder("<div class=\"memory\" aria-hidden=\"true\">");
        List<List<String>> rows = new ArrayList<>();
        for (MemorySeen seen : run.memory()) {
            bars.append(String.format(
                    Locale.ROOT,
                    "<span>%s</span><div class=\"bar\"><i class=\"peak\" style=\"width:%.2f%%\"></i><i class=\"now\" style=\"width:%.2f%%\"></i><b style=\"left:%.2f%%\"></b></div>",
                    Html.escape(seen.worker()),
                    100.0 * seen.peakBytes() / most,
                    100.0 * seen.residentBytes() / most,
                    100.0 * planned / most));
            rows.add(List.of(
                    seen.worker(),
                    Amount.bytes(seen.residentBytes()),
                    Amount.bytes(seen.peakBytes()),
                    Amount.bytes(planned)));
        }

        String note =
                "<p class=\"note\">Full colour is now, pale the peak; the mark is what <code>plan</code> estimates for training itself, and"
                        + " Spark, the tokenizer and what malloc gathers come on top.</p>";
        String table = Html.table("Resident memory", List.of("Process", "Now", "Peak", "Plan"), rows);
        return Html.section("Memory", bars + "</div>" + note + Html.details("memory", "Values as a table", table));
    }

    String faults() {
        if (run.faults().isEmpty()) {
            return Html.section("Faults and recoveries", "<p class=\"none\">None.</p>");
        }

        List<List<String>> rows = new ArrayList<>();
        for (FaultSeen fault : run.faults()) {
            rows.add(0, List.of(time(fault.timeMillis()), Amount.whole(fault.step()), fault.text()));
        }

        String caption = rows.size() == run.faultCount()
                ? "The newest first"
                : String.format(Locale.ROOT, "The newest %d of %d", rows.size(), run.faultCount());
        String table = Html.table(caption, List.of("When", "After step", "What happened"), rows);
        return Html.section("Faults and recoveries", "<div class=\"amounts\">" + table + "</div>");
    }

    String parameters() {
        List<List<String>> rows = run.parameters().entrySet().stream()
                .filter(entry ->
                        !entry.getValue().isEmpty() && !entry.getValue().equals("null"))
                .map(entry -> List.of(entry.getKey(), entry.getValue()))
                .toList();
        return Html.section(
                "Parameters",
                "<div class=\"parameters\">" + Html.table("The plan", List.of("Name", "Value"), rows) + "</div>");
    }

    private String outcome() {
        return switch (run.outcome()) {
            case RUNNING -> "Running";
            case DONE -> "Done";
            case FAILED -> "Failed";
        };
    }

    private String progressText() {
        String steps = "step %s of %s".formatted(Amount.whole(run.step()), Amount.whole(run.steps()));
        String checkpoint = run.checkpoint() == 0 ? "" : ", checkpoint at step " + Amount.whole(run.checkpoint());
        String resumed = run.doneSteps() == 0 ? "" : ", resumed after step " + Amount.whole(run.doneSteps());
        return switch (run.outcome()) {
            case RUNNING ->
                steps
                        + (run.secondsPerStep() == 0 ? "" : ", about " + Amount.duration(run.secondsLeft()) + " left")
                        + checkpoint
                        + resumed;
            case DONE -> steps + " in " + Amount.duration(took()) + resumed;
            case FAILED -> steps + " after " + Amount.duration(took()) + checkpoint + resumed + ": " + run.failure();
        };
    }

    private double took() {
        return (run.lastMillis() - run.startMillis()) / 1000.0;
    }

    private String progressBar() {
        return "<progress max=\"1\" value=\"%s\" aria-label=\"Steps done\">%s</progress>"
                .formatted(run.progress(), Amount.percent(run.progress()));
    }

    private static Chart chart(String key, String title, String unit, List<CurvePoint> points) {
        return new Chart(key, title, unit, Chart.Base.ZERO, List.of(new Line("each step", Line.Look.STRONG, points)));
    }

    private static String tile(String label, String value) {
        return "<div class=\"tile\"><span>%s</span><strong>%s</strong></div>"
                .formatted(Html.escape(label), Html.escape(value));
    }

    private static String last(List<CurvePoint> points) {
        return points.isEmpty()
                ? "–"
                : Amount.number(points.get(points.size() - 1).mean());
    }

    private static String time(long millis) {
        return Instant.ofEpochMilli(millis).truncatedTo(ChronoUnit.SECONDS).toString();
    }

    /** Descriptions of the phases of a step. */
    private static final class PhaseMeaning {
        private static final Map<String, String> WORDS = Map.of(
                "compute", "forward and backward",
                "exchange", "moving and adding gradients, and Spark's own work for a job",
                "update", "clipping and the optimiser, on the driver",
                "load", "opening the base model, pulling a snapshot",
                "read", "waiting for the rows of a batch",
                "replay", "applying updates that a process lacked",
                "wait", "for tasks of the same process");

        private PhaseMeaning() {}

        static String of(String phase) {
            return WORDS.getOrDefault(phase, "");
        }
    }
}

package org.sparkqlora.spark.ui;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import org.sparkqlora.spark.watch.CurvePoint;

/**
 * Curves over steps as a figure: SVG with a title and a description, a legend, and the values as a table.
 *
 * @param key identifies it on its page
 * @param title of what
 * @param unit behind a value; may be empty
 * @param base where the vertical axis begins
 */
record Chart(String key, String title, String unit, Base base, List<Line> lines) {
    /** The start of the vertical axis. */
    enum Base {
        ZERO,
        LEAST_VALUE
    }

    private static final int WIDTH = 420;
    private static final int HEIGHT = 230;
    private static final int LEFT = 52;
    private static final int RIGHT = 408;
    private static final int TOP = 12;
    private static final int BOTTOM = 204;
    private static final int TICKS = 4;
    private static final int TABLE_ROWS = 20;

    Chart {
        lines = lines.stream().filter(line -> !line.points().isEmpty()).toList();
    }

    String html() {
        if (lines.isEmpty()) {
            return "<figure><figcaption>%s</figcaption><p class=\"none\">No values yet.</p></figure>"
                    .formatted(Html.escape(title));
        }

        return "<figure><figcaption>%s%s</figcaption>%s%s</figure>"
                .formatted(Html.escape(title), legend(), svg(), Html.details(key, "Values as a table", table()));
    }

    private String svg() {
        Axis steps = steps();
        Axis values = values();
        StringBuilder svg = new StringBuilder();
        svg.append(String.format(
                Locale.ROOT,
                "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"%s-title %s-text\" data-chart=\"%s\">",
                WIDTH,
                HEIGHT,
                key,
                key,
                Html.escape(data())));
        svg.append("<title id=\"%s-title\">%s</title><desc id=\"%s-text\">%s</desc>"
                .formatted(key, Html.escape(title), key, Html.escape(description())));
        values.ticks().forEach(tick -> svg.append(horizontal(tick, values)));
        steps.ticks().forEach(tick -> svg.append(below(tick, steps)));
        lines.forEach(line -> svg.append(drawn(line, steps, values)));
        return svg.append("<g class=\"readout\"></g></svg>").toString();
    }

    private String legend() {
        if (lines.size() < 2) {
            return "";
        }

        return lines.stream()
                .map(line ->
                        "<span class=\"key %s\">%s</span>".formatted(line.look().word(), Html.escape(line.label())))
                .collect(Collectors.joining("", "<span class=\"keys\">", "</span>"));
    }

    private String description() {
        return lines.stream()
                .map(line -> {
                    List<CurvePoint> points = line.points();
                    CurvePoint last = points.get(points.size() - 1);
                    return String.format(
                            Locale.ROOT,
                            "%s: from %s at step %d to %s at step %d.",
                            line.label(),
                            Amount.number(points.get(0).mean()),
                            points.get(0).step(),
                            Amount.number(last.mean()),
                            last.step());
                })
                .collect(Collectors.joining(" "));
    }

    /** For the script that tells the value under the pointer: step, horizontal place, and a text. */
    private String data() {
        Axis steps = steps();
        Line main = lines.get(lines.size() - 1).look() == Line.Look.MARKED && lines.size() > 1
                ? lines.get(lines.size() - 2)
                : lines.get(lines.size() - 1);
        return main.points().stream()
                .map(point -> String.format(
                        Locale.ROOT, "%d|%s|%s", point.step(), across(point.step(), steps), valueText(point.mean())))
                .collect(Collectors.joining(";"));
    }

    private String table() {
        TreeMap<Long, List<String>> rows = new TreeMap<>();
        for (int i = 0; i < lines.size(); i++) {
            for (CurvePoint point : lines.get(i).points()) {
                rows.computeIfAbsent(point.step(), step -> emptyRow(step)).set(i + 1, Amount.number(point.mean()));
            }
        }

        List<String> heads = new ArrayList<>(List.of("Step"));
        lines.forEach(line -> heads.add(line.label()));
        List<List<String>> all = new ArrayList<>(rows.values());
        int stride = (all.size() + TABLE_ROWS - 1) / TABLE_ROWS;
        List<List<String>> shown = new ArrayList<>();
        for (int i = 0; i < all.size(); i++) {
            if (i % stride == 0 || i == all.size() - 1) {
                shown.add(all.get(i));
            }
        }

        return Html.table(title, heads, shown);
    }

    private List<String> emptyRow(long step) {
        List<String> row = new ArrayList<>(List.of(Amount.whole(step)));
        lines.forEach(line -> row.add("–"));
        return row;
    }

    private Axis steps() {
        long first = lines.stream()
                .mapToLong(line -> line.points().get(0).step())
                .min()
                .orElse(0);
        long last = lines.stream()
                .mapToLong(line -> line.points().get(line.points().size() - 1).step())
                .max()
                .orElse(1);
        return Axis.ofSteps(first, last, TICKS);
    }

    private Axis values() {
        double least = extreme(CurvePoint::mean, Extreme.LEAST);
        double most = extreme(CurvePoint::mean, Extreme.MOST);
        return Axis.around(base == Base.ZERO ? Math.min(0, least) : least, most, TICKS);
    }

    private enum Extreme {
        LEAST,
        MOST
    }

    private double extreme(ToDoubleFunction<CurvePoint> value, Extreme which) {
        var values = lines.stream().flatMap(line -> line.points().stream()).mapToDouble(value);
        return (which == Extreme.LEAST ? values.min() : values.max()).orElse(0);
    }

    private String valueText(double value) {
        return unit.isEmpty() ? Amount.number(value) : Amount.number(value) + " " + unit;
    }

    private static String horizontal(double tick, Axis values) {
        String y = down(tick, values);
        return String.format(
                Locale.ROOT,
                "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%s\" y2=\"%s\"/><text class=\"tick\" text-anchor=\"end\" x=\"%d\" y=\"%s\" dy=\"4\">%s</text>",
                LEFT,
                RIGHT,
                y,
                y,
                LEFT - 6,
                y,
                tickText(tick));
    }

    private static String below(double tick, Axis steps) {
        return String.format(
                Locale.ROOT,
                "<text class=\"tick\" text-anchor=\"middle\" x=\"%s\" y=\"%d\">%s</text>",
                across(tick, steps),
                HEIGHT - 8,
                tickText(tick));
    }

    private static String drawn(Line line, Axis steps, Axis values) {
        List<CurvePoint> points = line.points();
        String path = points.stream()
                .map(point -> across(point.step(), steps) + "," + down(point.mean(), values))
                .collect(Collectors.joining(" "));
        StringBuilder svg = new StringBuilder();
        svg.append(
                "<polyline class=\"%s\" points=\"%s\"/>".formatted(line.look().word(), path));
        if (line.look() == Line.Look.MARKED || points.size() == 1) {
            points.forEach(point -> svg.append("<circle class=\"%s\" r=\"3\" cx=\"%s\" cy=\"%s\"/>"
                    .formatted(line.look().word(), across(point.step(), steps), down(point.mean(), values))));
        }

        return svg.toString();
    }

    private static String tickText(double value) {
        double size = Math.abs(value);
        if (size < 1e-12) {
            return "0";
        }

        if (size < 1e-3 || size >= 1e6) {
            return String.format(Locale.ROOT, "%.1e", value)
                    .replace(".0e", "e")
                    .replaceFirst("e([+-])0", "e$1")
                    .replace("e+", "e");
        }

        String text = String.format(Locale.ROOT, "%,.4f", value).replaceFirst("0+$", "");
        return text.endsWith(".") ? text.substring(0, text.length() - 1) : text;
    }

    private static String across(double step, Axis steps) {
        return place(LEFT + steps.share(step) * (RIGHT - LEFT));
    }

    private static String down(double value, Axis values) {
        return place(BOTTOM - values.share(value) * (BOTTOM - TOP));
    }

    private static String place(double value) {
        return String.format(Locale.ROOT, "%.1f", value);
    }
}

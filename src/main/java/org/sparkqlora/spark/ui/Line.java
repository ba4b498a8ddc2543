package org.sparkqlora.spark.ui;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.sparkqlora.spark.watch.CurvePoint;

/**
 * A curve in a chart.
 *
 * @param label in the legend
 * @param look style of the curve
 */
record Line(String label, Look look, List<CurvePoint> points) {
    /** The style of a curve. */
    enum Look {
        /** The one that counts. */
        STRONG,
        /** The values that a mean curve was made of. */
        FAINT,
        /** Few values, each with a mark. */
        MARKED;

        String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Below this many points, they are the trend. */
    private static final int FEW = 20;

    /** Weight of a new point in the smoothed curve. */
    private static final double NEW_POINT = 0.12;

    Line {
        points = List.copyOf(points);
    }

    /** Values of every step, and their trend where they are many. */
    static List<Line> withTrend(List<CurvePoint> points) {
        return points.size() < FEW
                ? List.of(new Line("each step", Look.STRONG, points))
                : List.of(new Line("each step", Look.FAINT, points), smoothed(points));
    }

    private static Line smoothed(List<CurvePoint> points) {
        List<CurvePoint> smooth = new ArrayList<>();
        double mean = points.isEmpty() ? 0 : points.get(0).mean();
        for (CurvePoint point : points) {
            mean += NEW_POINT * (point.mean() - mean);
            smooth.add(new CurvePoint(point.step(), mean, mean, mean, point.count()));
        }

        return new Line("smoothed", Look.STRONG, smooth);
    }
}

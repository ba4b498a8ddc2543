package org.sparkqlora.spark.watch;

import java.util.ArrayList;
import java.util.List;

/**
 * A value over steps, in a bounded number of points however long the run: when they become too many, neighbours are joined, and
 * from then on a point stands for twice as many values.
 */
final class Curve {
    static final int LONGEST = 512;

    private final List<CurvePoint> points = new ArrayList<>();
    private int stride = 1;

    void add(long step, double value) {
        CurvePoint point = CurvePoint.of(step, value);
        int last = points.size() - 1;
        if (last >= 0 && points.get(last).count() < stride) {
            points.set(last, points.get(last).plus(point));
            return;
        }

        points.add(point);
        if (points.size() > LONGEST) {
            joinNeighbours();
        }
    }

    List<CurvePoint> points() {
        return List.copyOf(points);
    }

    private void joinNeighbours() {
        List<CurvePoint> joined = new ArrayList<>();
        for (int i = 0; i < points.size(); i += 2) {
            CurvePoint first = points.get(i);
            joined.add(i + 1 < points.size() ? first.plus(points.get(i + 1)) : first);
        }

        points.clear();
        points.addAll(joined);
        stride *= 2;
    }
}

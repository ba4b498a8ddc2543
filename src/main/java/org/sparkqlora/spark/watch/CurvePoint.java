package org.sparkqlora.spark.watch;

/**
 * One or several neighbouring values of a curve.
 *
 * @param step of the last one
 * @param mean of all
 * @param low the least
 * @param high the greatest
 * @param count of values
 */
public record CurvePoint(long step, double mean, double low, double high, int count) {
    static CurvePoint of(long step, double value) {
        return new CurvePoint(step, value, value, value, 1);
    }

    CurvePoint plus(CurvePoint later) {
        int both = count + later.count;
        return new CurvePoint(
                later.step,
                (mean * count + later.mean * later.count) / both,
                Math.min(low, later.low),
                Math.max(high, later.high),
                both);
    }
}

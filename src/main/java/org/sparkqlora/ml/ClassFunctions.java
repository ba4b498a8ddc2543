package org.sparkqlora.ml;

import java.util.Arrays;
import org.apache.spark.ml.linalg.DenseVector;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.expressions.UserDefinedFunction;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.jspecify.annotations.Nullable;

/** From scores to classes, as functions of columns that hold no stage: tasks get them alone. */
final class ClassFunctions {
    private ClassFunctions() {}

    /** From scores to probabilities; none of a text that is null. */
    static UserDefinedFunction probability() {
        UDF1<@Nullable Vector, @Nullable Vector> function = raw ->
                raw == null ? null : new DenseVector(softmax(raw.toArray().clone()));
        return functions.udf(function, SQLDataTypes.VectorType());
    }

    /**
     * From probabilities to the class of the greatest, each divided by its threshold; none of a text that is null.
     *
     * @param thresholds as MLlib has them; none for equal ones
     */
    static UserDefinedFunction prediction(double... thresholds) {
        UDF1<@Nullable Vector, @Nullable Double> function =
                probability -> probability == null ? null : (double) greatest(probability.toArray(), thresholds);
        return functions.udf(function, DataTypes.DoubleType);
    }

    /** {@code exp(s_i) / sum of exp(s)}, in place. */
    static double[] softmax(double[] scores) {
        double greatest = Arrays.stream(scores).max().orElseThrow();
        double sum = 0;
        for (int i = 0; i < scores.length; i++) {
            scores[i] = Math.exp(scores[i] - greatest);
            sum += scores[i];
        }

        for (int i = 0; i < scores.length; i++) {
            scores[i] /= sum;
        }

        return scores;
    }

    /** The first of equal ones; one with threshold 0 comes before all others if its probability is above 0. */
    private static int greatest(double[] probabilities, double[] thresholds) {
        int best = 0;
        double most = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < probabilities.length; i++) {
            double scaled = thresholds.length == 0 || probabilities[i] == 0
                    ? probabilities[i]
                    : probabilities[i] / thresholds[i];
            if (scaled > most) {
                most = scaled;
                best = i;
            }
        }

        return best;
    }
}

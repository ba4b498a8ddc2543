package org.sparkqlora.spark.cluster;

import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.spark.package$;
import org.sparkqlora.input.BadInputException;
import scala.util.Properties;

/**
 * Versions of Spark that take the same jar. Between lines, classes of Spark have other methods, and of Scala other names.
 *
 * @param spark the first two numbers, as {@code 3.5} of 3.5.9 or of a vendor's 3.5.6-amzn-0
 * @param scala version without its last number, as {@code 2.12}
 */
public record SparkLine(String spark, String scala) {
    /** Lines whose Hadoop calls a method that Java 24 took away. */
    private static final Set<String> UP_TO_JAVA_23 = Set.of("3.5", "4.0");

    /** The one that runs here. */
    public static SparkLine running() {
        return of(package$.MODULE$.SPARK_VERSION(), Properties.versionNumberString());
    }

    static SparkLine of(String spark, String scala) {
        return new SparkLine(firstTwo(spark), firstTwo(scala));
    }

    /**
     * Refuses a line that this jar is not built for before the first class or method that is not there.
     *
     * @throws BadInputException which lines it runs on, and which jar is for others
     */
    public static void check() {
        running().requireOneOf(BuiltFor.LINES);
    }

    void requireOneOf(List<SparkLine> supported) {
        if (!supported.contains(this)) {
            throw new BadInputException(
                    "Cannot run on %s: this jar runs on %s. Use such a Spark, or the jar for this one: spark-qlora.jar is for Spark 3.5 with Scala 2.12, spark-qlora-spark4.jar for Spark 4 with Scala 2.13."
                            .formatted(
                                    this,
                                    supported.stream().map(SparkLine::toString).collect(Collectors.joining(" or "))));
        }
    }

    /**
     * Refuses a Java that this Spark fails on.
     *
     * @throws BadInputException which to take
     */
    public static void checkJava() {
        running().requireJava(Runtime.version().feature());
    }

    void requireJava(int version) {
        if (version > 23 && UP_TO_JAVA_23.contains(spark)) {
            throw new BadInputException("Cannot run on Java %d: expected Java 17 or 21 for %s. Set JAVA_HOME to one."
                    .formatted(version, this));
        }
    }

    private static String firstTwo(String version) {
        return version.replaceFirst("^(\\d+\\.\\d+).*$", "$1");
    }

    @Override
    public String toString() {
        return "Spark %s with Scala %s".formatted(spark, scala);
    }
}

package org.sparkqlora.spark;

import java.util.List;
import org.apache.spark.package$;
import org.sparkqlora.input.BadInputException;
import scala.util.Properties;

/**
 * Versions of Spark that take the same jar. Between lines, classes of Spark have other methods, and of Scala other names.
 *
 * @param spark major number, as of {@code 3.5.9}
 * @param scala version without its last number, as {@code 2.12}
 */
public record SparkLine(String spark, String scala) {
    /** The one that runs here. */
    public static SparkLine running() {
        String scala = Properties.versionNumberString();
        return new SparkLine(
                List.of(package$.MODULE$.SPARK_VERSION().split("\\.", -1)).get(0),
                scala.substring(0, scala.lastIndexOf('.')));
    }

    /**
     * Refuses a jar of another line before the first class that is not there.
     *
     * @throws IllegalArgumentException which jar to take instead
     */
    public static void check() {
        BuiltFor.LINE.checkRunsOn(running());
    }

    void checkRunsOn(SparkLine found) {
        if (!equals(found)) {
            throw new BadInputException(
                    "Cannot run here: this jar is built for %s, found %s. Take the jar of that line: mvn package builds spark-qlora.jar for Spark 3.5 with Scala 2.12, mvn -Pspark4 package builds spark-qlora-spark4.jar for Spark 4 with Scala 2.13."
                            .formatted(this, found));
        }
    }

    @Override
    public String toString() {
        return "Spark %s with Scala %s".formatted(spark, scala);
    }
}

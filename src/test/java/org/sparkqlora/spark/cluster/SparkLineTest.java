package org.sparkqlora.spark.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.input.BadInputException;

@Tag("spark-line")
class SparkLineTest {
    private static final List<SparkLine> SPARK_3 = List.of(new SparkLine("3.5", "2.12"));

    @Test
    void theBuildIsForTheSparkThatItIsTestedWith() {
        assertThat(BuiltFor.LINES).contains(SparkLine.running());
        assertThatCode(SparkLine::check).doesNotThrowAnyException();
    }

    @Test
    void aJarOfAnotherLineIsRefusedBeforeItMeetsAMissingClass() {
        assertThatThrownBy(() -> new SparkLine("4.0", "2.13").requireOneOf(SPARK_3))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "Cannot run on Spark 4.0 with Scala 2.13: this jar runs on Spark 3.5 with Scala 2.12. Use such a Spark, or the jar for this one: spark-qlora.jar is for Spark 3.5 with Scala 2.12, spark-qlora-spark4.jar for Spark 4 with Scala 2.13.");
    }

    @Test
    void aLineThatIsNewerThanTheJarIsRefused() {
        List<SparkLine> lines = List.of(new SparkLine("4.0", "2.13"), new SparkLine("4.1", "2.13"));

        assertThatThrownBy(() -> new SparkLine("4.9", "2.13").requireOneOf(lines))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith(
                        "Cannot run on Spark 4.9 with Scala 2.13: this jar runs on Spark 4.0 with Scala 2.13 or Spark 4.1 with Scala 2.13.");
    }

    @Test
    void aJavaThatTheLineFailsOnIsRefused() {
        SparkLine line = new SparkLine("3.5", "2.12");

        assertThatCode(() -> line.requireJava(21)).doesNotThrowAnyException();
        assertThatThrownBy(() -> line.requireJava(25))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "Cannot run on Java 25: expected Java 17 or 21 for Spark 3.5 with Scala 2.12. Set JAVA_HOME to one.");
    }

    @Test
    void aNewerLineMayRunOnANewerJava() {
        assertThatCode(() -> new SparkLine("4.1", "2.13").requireJava(25)).doesNotThrowAnyException();
    }

    /** Databricks has such an image of 16.4 LTS. */
    @Test
    void theSameSparkWithAnotherScalaIsAnotherLine() {
        assertThatThrownBy(() -> new SparkLine("3.5", "2.13").requireOneOf(SPARK_3))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("Cannot run on Spark 3.5 with Scala 2.13");
    }

    @ParameterizedTest(name = "{0}")
    @ValueSource(strings = {"3.5.9", "3.5.6-amzn-0", "3.5.2.1-databricks", "3.5.0-SNAPSHOT", "3.5"})
    void aVendorsVersionIsOfItsLine(String version) {
        assertThat(SPARK_3).contains(SparkLine.of(version, "2.12.18"));
    }
}

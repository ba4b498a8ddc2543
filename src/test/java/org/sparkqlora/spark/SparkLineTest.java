package org.sparkqlora.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("spark-line")
class SparkLineTest {
    private static final SparkLine SPARK_3 = new SparkLine("3", "2.12");

    @Test
    void theBuildIsForTheSparkThatItIsTestedWith() {
        assertThat(SparkLine.running()).isEqualTo(BuiltFor.LINE);
        assertThatCode(SparkLine::check).doesNotThrowAnyException();
    }

    @Test
    void aJarOfAnotherLineIsRefusedBeforeItMeetsAMissingClass() {
        assertThatThrownBy(() -> SPARK_3.checkRunsOn(new SparkLine("4", "2.13")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("built for Spark 3 with Scala 2.12, found Spark 4 with Scala 2.13")
                .hasMessageContaining("spark-qlora-spark4.jar");
    }

    /** Databricks has such an image of 16.4 LTS. */
    @Test
    void theSameSparkWithAnotherScalaIsAnotherLine() {
        assertThatThrownBy(() -> SPARK_3.checkRunsOn(new SparkLine("3", "2.13")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("found Spark 3 with Scala 2.13");
    }
}

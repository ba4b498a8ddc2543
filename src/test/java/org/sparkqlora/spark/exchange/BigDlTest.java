package org.sparkqlora.spark.exchange;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class BigDlTest {
    @Test
    void aJarWithoutItSaysHowToBuildOneWithIt() {
        ClassLoader without = ClassLoader.getPlatformClassLoader();

        assertThatThrownBy(() -> BigDl.require(without))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "Cannot use BigDL: expected a jar with it, found one without. Build the jar for Spark 3.5 by"
                                + " 'mvn -B -Dbigdl=true -DskipTests package', or leave the option out.");
    }
}

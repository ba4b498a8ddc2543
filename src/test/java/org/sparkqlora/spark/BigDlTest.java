package org.sparkqlora.spark;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class BigDlTest {
    @Test
    void aJarWithoutItSaysHowToBuildOneWithIt() {
        ClassLoader without = ClassLoader.getPlatformClassLoader();

        assertThatThrownBy(() -> BigDl.require(without))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot use BigDL: expected a jar that was built with it, found one without. Build it by"
                        + " '.ci/bigdl_jar && mvn -B -Pbigdl package', or leave the option out.");
    }
}

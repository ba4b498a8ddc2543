package org.sparkqlora.quant;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

final class VectorApiTest {
    private static final String FIRST_COMPILER = "-XX:TieredStopAtLevel=1";
    private static final String BOTH_COMPILERS = "-XX:TieredStopAtLevel=4";

    @Test
    void vectorsAreForTheSecondCompiler() {
        assertThat(VectorApi.isCompiled(List.of("-Xmx4g"))).isTrue();
        assertThat(VectorApi.isCompiled(List.of(FIRST_COMPILER))).isFalse();
    }

    @Test
    void theLastOptionCounts() {
        assertThat(VectorApi.isCompiled(List.of(FIRST_COMPILER, BOTH_COMPILERS)))
                .isTrue();
        assertThat(VectorApi.isCompiled(List.of(BOTH_COMPILERS, FIRST_COMPILER)))
                .isFalse();
    }
}

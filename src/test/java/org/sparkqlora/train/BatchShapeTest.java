package org.sparkqlora.train;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BatchShapeTest {
    @ParameterizedTest
    @CsvSource({
        "512, 16, 2, 1, 2",
        "512, 3, 2, 1, 1",
        "300, 16, 2, 1, 3",
        "64, 1000, 2, 1, 16",
        "64, 16, 2, 1, 8",
        "512, 16, 2, 4, 2",
        "512, 16, 2, 8, 1",
        "64, 16, 2, 3, 2",
        "512, 4, 2, 4, 1",
        "2048, 16, 2, 1, 1",
        "512, 16, 65536, 65536, 1"
    })
    void aMicroBatchHasAThousandTokensWhileEachPassHasOne(int width, int rows, int shards, int passes, int expected) {
        assertThat(BatchShape.microBatchSize(width, rows, shards, passes)).isEqualTo(expected);
    }
}

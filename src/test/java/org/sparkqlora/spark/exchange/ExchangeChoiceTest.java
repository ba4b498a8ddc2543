package org.sparkqlora.spark.exchange;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.spark.cluster.SettingsOfSpark;
import org.sparkqlora.train.GradientDtype;

class ExchangeChoiceTest {
    /** Four million elements: 15.3 MiB of float32, 7.7 MiB of bfloat16, with what surrounds them. */
    private static final long PARAMETERS = 4_000_000;

    @ParameterizedTest(name = "{0} shards by {1} under {2}")
    @CsvSource({
        "2, FP32, 40m, 64m, COLLECT, '2 x 15.3 MiB of gradients are within spark.driver.maxResultSize, 40.0 MiB'",
        "3, FP32, 40m, 64m, SHUFFLE, '3 x 15.3 MiB of gradients are more than spark.driver.maxResultSize, 40.0 MiB'",
        "3, BF16, 40m, 64m, COLLECT, '3 x 7.7 MiB of gradients are within spark.driver.maxResultSize, 40.0 MiB'",
        "2, FP32, 40m, 12m, SHUFFLE, '2 x 15.3 MiB of gradients are more than spark.kryoserializer.buffer.max a shard, 24.0 MiB'",
        "4, FP32, 1g, 64m, COLLECT, '4 x 15.3 MiB of gradients are within what the driver adds quickly, 64.0 MiB'",
        "5, FP32, 0, 64m, SHUFFLE, '5 x 15.3 MiB of gradients are more than what the driver adds quickly, 64.0 MiB'",
    })
    void autoCollectsWhileItFits(
            int shards, GradientDtype dtype, String results, String buffer, ExchangeKind expected, String reason) {
        SparkConf settings = new SparkConf(false)
                .set(SettingsOfSpark.MAX_RESULT_SIZE, results)
                .set(SettingsOfSpark.KRYO_BUFFER, buffer);

        ExchangeChoice choice =
                ExchangeChoice.of(ExchangeKind.AUTO, new GradientSize(PARAMETERS, shards, dtype), settings);

        assertThat(choice.kind()).isEqualTo(expected);
        assertThat(choice.reason()).isEqualTo(reason);
    }

    @Test
    void whatWasAskedForIsTaken() {
        GradientSize size = new GradientSize(PARAMETERS, 100, GradientDtype.FP32);

        assertThat(ExchangeChoice.of(ExchangeKind.COLLECT, size, new SparkConf(false))
                        .kind())
                .isEqualTo(ExchangeKind.COLLECT);
    }
}

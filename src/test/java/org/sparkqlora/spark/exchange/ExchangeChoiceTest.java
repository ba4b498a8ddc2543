package org.sparkqlora.spark.exchange;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.spark.cluster.SettingsOfSpark;
import org.sparkqlora.train.GradientDtype;

class ExchangeChoiceTest {
    /** Ten million elements: 38.2 MiB of float32, 19.1 MiB of bfloat16. */
    private static final long PARAMETERS = 10_000_000;

    @ParameterizedTest(name = "{0} shards by {1} under {2}")
    @CsvSource({
        "2, FP32, 100m, 64m, COLLECT, '2 x 38.2 MiB of gradients are within spark.driver.maxResultSize, 100.0 MiB'",
        "4, FP32, 100m, 64m, SHUFFLE, '4 x 38.2 MiB of gradients are more than spark.driver.maxResultSize, 100.0 MiB'",
        "4, BF16, 100m, 64m, COLLECT, '4 x 19.1 MiB of gradients are within spark.driver.maxResultSize, 100.0 MiB'",
        "2, FP32, 100m, 32m, SHUFFLE, '2 x 38.2 MiB of gradients are more than spark.kryoserializer.buffer.max a shard, 64.0 MiB'",
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
    void autoMindsTheHeapWhereSparkHasNoLimit() {
        SparkConf settings = new SparkConf(false).set(SettingsOfSpark.MAX_RESULT_SIZE, "0");
        GradientSize size = new GradientSize(Runtime.getRuntime().maxMemory() / 16, 2, GradientDtype.FP32);

        ExchangeChoice choice =
                ExchangeChoice.of(ExchangeKind.AUTO, size, settings.set(SettingsOfSpark.KRYO_BUFFER, "2047m"));

        assertThat(choice.kind()).isEqualTo(ExchangeKind.SHUFFLE);
        assertThat(choice.reason()).contains("more than a quarter of the driver's heap");
    }

    @Test
    void whatWasAskedForIsTaken() {
        GradientSize size = new GradientSize(PARAMETERS, 100, GradientDtype.FP32);

        assertThat(ExchangeChoice.of(ExchangeKind.COLLECT, size, new SparkConf(false))
                        .kind())
                .isEqualTo(ExchangeKind.COLLECT);
    }
}

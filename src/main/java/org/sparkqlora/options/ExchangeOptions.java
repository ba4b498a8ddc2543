package org.sparkqlora.options;

import org.apache.spark.SparkConf;
import org.sparkqlora.spark.exchange.BigDl;
import org.sparkqlora.spark.exchange.ExchangeChoice;
import org.sparkqlora.spark.exchange.ExchangeKind;
import org.sparkqlora.spark.exchange.GradientSize;
import org.sparkqlora.train.GradientDtype;
import picocli.CommandLine.Option;

/** The exchange that adds the gradients of the shards. */
@OptionGroup.In(OptionGroup.CLUSTER)
public final class ExchangeOptions {
    @Option(
            names = "--exchange",
            defaultValue = "auto",
            paramLabel = "NAME",
            description =
                    "collect: the driver adds the shards' gradients. shuffle: tasks add slices of them, and the sum"
                            + " stays with executors. auto: collect up to 64 MiB of gradients a step."
                            + " bigdl: as shuffle, by BigDL's AllReduceParameter, not on Spark 4."
                            + " The result is the same. On a local master tasks run in the driver and nothing moves. Default: ${DEFAULT-VALUE}.")
    public ExchangeKind kind = ExchangeKind.AUTO;

    @Option(
            names = "--wire",
            defaultValue = "fp32",
            paramLabel = "NAME",
            description =
                    "fp32, or bf16: half the bytes, each shard's gradient rounded to 8 bits of precision before it"
                            + " is added. Default: ${DEFAULT-VALUE}.")
    public GradientDtype wire = GradientDtype.FP32;

    public void check(Problems problems) {
        if (kind == ExchangeKind.BIGDL) {
            problems.collect("--exchange bigdl", BigDl::require);
        }
    }

    public ExchangeChoice choose(GradientSize size, SparkConf settings) {
        return ExchangeChoice.of(kind, size, settings);
    }
}

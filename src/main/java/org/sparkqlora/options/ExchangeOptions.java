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

    @Option(
            names = "--zero-stage",
            defaultValue = "auto",
            paramLabel = "N",
            description =
                    "1: executors shard the optimiser's state (ZeRO stage 1), each part kept by two of them, by --exchange shuffle."
                            + " 0: each has all of it. auto: 1 for --method full where that takes less memory."
                            + " The result is the same. Default: ${DEFAULT-VALUE}.")
    public ZeroStage zeroStage = ZeroStage.AUTO;

    public void check(Problems problems) {
        problems.require(
                zeroStage != ZeroStage.OPTIMIZER || kind == ExchangeKind.AUTO || kind == ExchangeKind.SHUFFLE,
                "--zero-stage 1: expected --exchange auto or shuffle with it, found %s",
                kind.optionName());
        if (kind == ExchangeKind.BIGDL) {
            problems.collect("--exchange bigdl", BigDl::require);
        }
    }

    public ExchangeChoice choose(GradientSize size, SparkConf settings) {
        return ExchangeChoice.of(wanted(), size, settings);
    }

    /** The exchange that is asked for, by itself or by what rests on it. */
    public ExchangeKind wanted() {
        return zeroStage == ZeroStage.OPTIMIZER ? ExchangeKind.SHUFFLE : kind;
    }
}

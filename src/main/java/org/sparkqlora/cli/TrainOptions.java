package org.sparkqlora.cli;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.LoraSpec;
import org.sparkqlora.model.Method;
import org.sparkqlora.model.Precision;
import org.sparkqlora.train.FolderModelSource;
import org.sparkqlora.train.Wire;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** All that a training run is told. */
@OptionGroup.In(OptionGroup.OPTIMIZER)
final class TrainOptions {
    static final String LOCAL_STEPS_IN_FLOAT16 =
            "--local-steps: expected --precision bf16 or fp32 with it, found fp16, whose scale of the loss belongs to all shards";

    @Mixin
    ModelOptions model = new ModelOptions();

    @Mixin
    DataOptions data = new DataOptions();

    @Mixin
    EvaluationOptions evaluation = new EvaluationOptions();

    @Mixin
    RunOptions run = new RunOptions();

    @Mixin
    AdapterOptions adapter = new AdapterOptions();

    @Option(
            names = "--neftune-noise-alpha",
            defaultValue = "0",
            paramLabel = "A",
            description = "NEFTune: noise on embedded tokens in training, such as 5. Default: ${DEFAULT-VALUE} (off).")
    double noise;

    @Mixin
    UpdateOptions update = new UpdateOptions();

    @Mixin
    ExchangeOptions exchange = new ExchangeOptions();

    @Mixin
    ClusterOptions cluster = new ClusterOptions();

    void check(Problems problems) {
        cluster.check(problems);
        model.check(problems);
        data.check(problems);
        evaluation.check(problems);
        run.check(problems);
        adapter.check(problems);
        problems.require(
                noise >= 0 && Double.isFinite(noise),
                "--neftune-noise-alpha: expected 0 (off) or more, found %s",
                noise);
        update.check(problems);
        problems.require(
                run.localSteps == 1 || exchange.wire == Wire.FP32,
                "--local-steps: expected --wire fp32 with it, found bf16, which would round the weights and not their gradients");
        problems.require(
                run.localSteps == 1 || model.numerics.precision != PrecisionChoice.FP16, LOCAL_STEPS_IN_FLOAT16);
        exchange.check(problems);
    }

    /** Refuses what means nothing to one of the methods that {@code option} names: where all weights train, there is no adapter. */
    void checkMethods(String option, List<Method> methods, Problems problems) {
        if (methods.contains(Method.FULL)) {
            problems.require(
                    update.loraPlusRatio == 1,
                    "--loraplus-ratio: expected %s qlora or lora with it, found full",
                    option);
            problems.require(
                    !adapter.resizes(),
                    "--new-tokens, --resize-token-embeddings: expected %s qlora or lora with them, found full",
                    option);
            problems.require(
                    adapter.initial == null, "--init-adapter: expected %s qlora or lora with it, found full", option);
        }
    }

    /** How executors open the model to train adapters of this shape. */
    FolderModelSource source(@Nullable LoraSpec lora, Precision precision) {
        return model.source(model.spec(lora, precision).withNoise(noise));
    }
}

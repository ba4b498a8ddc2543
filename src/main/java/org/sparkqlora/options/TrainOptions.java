package org.sparkqlora.options;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.objective.Objective;
import org.sparkqlora.objective.ObjectiveKind;
import org.sparkqlora.optim.OptimizerKind;
import org.sparkqlora.train.FolderModelSource;
import org.sparkqlora.train.GradientDtype;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options of a training run. */
@OptionGroup.In(OptionGroup.OPTIMIZER)
public final class TrainOptions {
    public static final String LOCAL_STEPS_IN_FLOAT16 =
            "--local-steps: expected --precision bf16 or fp32 with it, found fp16, whose scale of the loss belongs to all shards";

    @Mixin
    public ModelOptions model = new ModelOptions();

    @Mixin
    public DataOptions data = new DataOptions();

    @Mixin
    public EvaluationOptions evaluation = new EvaluationOptions();

    @Mixin
    public RunOptions run = new RunOptions();

    @Mixin
    public AdapterOptions adapter = new AdapterOptions();

    @Option(
            names = "--neftune-noise-alpha",
            defaultValue = "0",
            paramLabel = "A",
            description = "NEFTune: noise on embedded tokens in training, such as 5. Default: ${DEFAULT-VALUE} (off).")
    double noise;

    @Option(
            names = "--router-aux-loss-coef",
            defaultValue = "0",
            paramLabel = "C",
            description =
                    "Of mixtures of experts: weight of the loss that balances them, such as 0.001. Default: ${DEFAULT-VALUE} (off).")
    double routerLoss;

    @Mixin
    public ObjectiveOptions objective = new ObjectiveOptions();

    @Mixin
    public UpdateOptions update = new UpdateOptions();

    @Mixin
    public ExchangeOptions exchange = new ExchangeOptions();

    @Mixin
    public ClusterOptions cluster = new ClusterOptions();

    /**
     * Options with {@code values} by the names of {@link Settings#TRAIN}.
     *
     * @throws IllegalArgumentException that names all problems
     */
    public static TrainOptions of(Map<String, Object> values) {
        return Settings.TRAIN.fill(new TrainOptions(), values, TrainOptions::checkAll);
    }

    public void check(Problems problems) {
        cluster.check(problems);
        model.check(problems);
        data.check(problems);
        data.checkLabels(problems);
        evaluation.check(problems);
        run.check(problems);
        adapter.check(problems);
        problems.require(
                noise >= 0 && Double.isFinite(noise),
                "--neftune-noise-alpha: expected 0 (off) or more, found %s",
                noise);
        problems.require(
                routerLoss >= 0 && Double.isFinite(routerLoss),
                "--router-aux-loss-coef: expected 0 (off) or more, found %s",
                routerLoss);
        problems.require(
                routerLoss == 0 || data.objective == ObjectiveKind.SFT,
                "--router-aux-loss-coef: expected --objective sft with it, found %s",
                data.objective.optionName());
        objective.check(problems, data, adapter.initial != null);
        problems.require(
                !data.objective.scoresTexts() || evaluation.prompts == null,
                "--eval-prompts: expected an --objective that answers with them, found %s",
                data.objective.optionName());
        update.check(problems);
        problems.require(
                run.localSteps == 1 || exchange.wire == GradientDtype.FP32,
                "--local-steps: expected --wire fp32 with it, found bf16, which would round the weights and not their gradients");
        problems.require(
                run.localSteps == 1 || model.numerics.precision != PrecisionChoice.FP16, LOCAL_STEPS_IN_FLOAT16);
        exchange.check(problems);
        problems.require(
                exchange.zeroStage != ZeroStage.OPTIMIZER || run.localSteps == 1,
                "--zero-stage 1: expected --local-steps 1 with it, found %d",
                run.localSteps);
        problems.require(
                exchange.zeroStage != ZeroStage.OPTIMIZER || update.kind != OptimizerKind.SGD,
                "--zero-stage 1: expected an --optimizer that keeps state, found %s",
                update.kind.optionName());
    }

    /** Reports all that is wrong with the options of one run. */
    public void checkAll(Problems problems) {
        check(problems);
        checkMethods("--method", List.of(model.method), problems);
    }

    /** Refuses what means nothing to one of the methods that {@code option} names: where all weights train, there is no adapter. */
    public void checkMethods(String option, List<Method> methods, Problems problems) {
        if (methods.contains(Method.FULL)) {
            problems.require(
                    !data.objective.scoresTexts(),
                    "--objective %s: expected %s qlora or lora with it, found full",
                    data.objective.optionName(),
                    option);
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

    /** What the run trains for. */
    public Objective objective() {
        return objective.of(data, adapter.initial != null);
    }

    /** The model as executors open it, to train adapters of this shape. */
    public FolderModelSource source(@Nullable LoraSpec lora, Precision precision) {
        return model.source(model.spec(lora, precision).withNoise(noise).withRouterLoss(routerLoss));
    }
}

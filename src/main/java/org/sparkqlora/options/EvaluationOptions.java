package org.sparkqlora.options;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.HeldOutSplit;
import org.sparkqlora.data.HeldOutSplit.Side;
import org.sparkqlora.spark.source.WeightedSource;
import org.sparkqlora.train.metrics.TrainSummary;
import picocli.CommandLine.Option;

/** Evaluations while a run trains, and the early stopping and best model that follow from them. */
@OptionGroup.In(OptionGroup.EVALUATION)
public final class EvaluationOptions {
    @OptionGroup.Common
    @Option(names = "--eval-data", split = ",", paramLabel = "PATH", description = "Held-out examples, as --data.")
    public List<String> heldOut = new ArrayList<>();

    @OptionGroup.Common
    @Option(
            names = "--eval-fraction",
            defaultValue = "0",
            paramLabel = "X",
            description = "Instead of --eval-data: a share of --data to hold out, such as 0.05. It is spread evenly.")
    public double fraction;

    @Option(
            names = "--keep-best",
            description =
                    "The run comes to the State of the lowest held-out loss (load_best_model_at_end), kept in best/ of"
                            + " --output, and not to the last. The summary tells both losses: eval_loss of the last State,"
                            + " adapter_eval_loss of the result.")
    public boolean keepBest;

    @Option(
            names = "--patience",
            defaultValue = "0",
            paramLabel = "N",
            description =
                    "End early after N evaluations without a lower held-out loss. Default: ${DEFAULT-VALUE} (never).")
    public int patience;

    @Option(
            names = "--eval-prompts",
            paramLabel = "FILE",
            description =
                    "Prompts, as generate --prompts takes them: answers before training and at each evaluation go to"
                            + " samples.jsonl of --output.")
    @Nullable
    public Path prompts;

    @Option(
            names = "--eval-max-new-tokens",
            defaultValue = "64",
            paramLabel = "N",
            description = "Tokens of such an answer at most. Default: ${DEFAULT-VALUE}.")
    public int maxNewTokens = 64;

    void check(Problems problems) {
        problems.require(
                fraction >= 0 && fraction < 1,
                "--eval-fraction: expected 0 (off) or more, less than 1, found %s",
                fraction);
        problems.require(
                fraction == 0 || heldOut.isEmpty(), "--eval-fraction: expected this or --eval-data, found both");
        problems.requireAtLeast("--patience", 0, patience);
        problems.requireAtLeast("--eval-max-new-tokens", 1, maxNewTokens);
        problems.collect("--eval-data", () -> WeightedSource.parse(heldOut));
        boolean evaluates = fraction > 0 || !heldOut.isEmpty();
        problems.require(
                evaluates || !keepBest, "--keep-best: expected --eval-data or --eval-fraction with it, found neither");
        problems.require(
                evaluates || patience == 0,
                "--patience: expected --eval-data or --eval-fraction with it, found neither");
        problems.requireFile("--eval-prompts", prompts);
    }

    /** The held-out loss of what a run published. */
    public OptionalDouble lossOfResult(TrainSummary run) {
        return keepBest && run.best().isPresent()
                ? OptionalDouble.of(run.best().orElseThrow().loss())
                : run.evaluationLoss();
    }

    /** The part of --data that trains. */
    public HeldOutSplit trained() {
        return fraction > 0 ? new HeldOutSplit(fraction, Side.TRAINED) : HeldOutSplit.ALL;
    }

    /** The part of --data that is held out. */
    public HeldOutSplit heldOutPart() {
        return new HeldOutSplit(fraction, Side.HELD_OUT);
    }
}

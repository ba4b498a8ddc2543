package org.sparkqlora.cli;

import org.sparkqlora.optim.OptimizerKind;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.optim.Schedule;
import org.sparkqlora.optim.ScheduleKind;
import picocli.CommandLine.Option;

/** How a gradient moves the parameters. */
final class UpdateOptions {
    @Option(
            names = "--optimizer",
            defaultValue = "paged_adamw_8bit",
            paramLabel = "NAME",
            description = "adamw, adamw_8bit, paged_adamw, paged_adamw_8bit, lion or sgd. Default: ${DEFAULT-VALUE}.")
    OptimizerKind kind = OptimizerKind.PAGED_ADAMW_8BIT;

    @Option(
            names = "--learning-rate",
            defaultValue = "2e-4",
            paramLabel = "R",
            description = "Default: ${DEFAULT-VALUE}.")
    double learningRate = 2e-4;

    @Option(
            names = "--schedule",
            defaultValue = "constant",
            paramLabel = "NAME",
            description = "constant, linear or cosine, each after the warm-up. Default: ${DEFAULT-VALUE}.")
    ScheduleKind schedule = ScheduleKind.CONSTANT;

    @Option(
            names = "--warmup-steps",
            defaultValue = "0",
            paramLabel = "N",
            description = "Steps of linear warm-up; 0 leaves it to --warmup-ratio.")
    int warmupSteps;

    @Option(
            names = "--warmup-ratio",
            defaultValue = "0.03",
            paramLabel = "X",
            description = "Share of all steps for the warm-up. Default: ${DEFAULT-VALUE}.")
    double warmupRatio = 0.03;

    @Option(names = "--weight-decay", defaultValue = "0", paramLabel = "X", description = "Default: ${DEFAULT-VALUE}.")
    double weightDecay;

    @Option(
            names = "--loraplus-ratio",
            defaultValue = "1",
            paramLabel = "R",
            description = "LoRA+: the factors B learn at R times the learning rate, as do DoRA's magnitudes. Default:"
                    + " ${DEFAULT-VALUE} (off).")
    double loraPlusRatio = 1;

    @Option(names = "--adam-beta1", defaultValue = "0.9", paramLabel = "X", description = "Default: ${DEFAULT-VALUE}.")
    double beta1 = 0.9;

    @Option(
            names = "--adam-beta2",
            defaultValue = "0.999",
            paramLabel = "X",
            description = "Default: ${DEFAULT-VALUE}.")
    double beta2 = 0.999;

    @Option(
            names = "--adam-epsilon",
            defaultValue = "1e-8",
            paramLabel = "X",
            description = "Default: ${DEFAULT-VALUE}.")
    double epsilon = 1e-8;

    @Option(
            names = "--max-grad-norm",
            defaultValue = "0.3",
            paramLabel = "X",
            description = "Bound on the gradient's norm; 0 is none. Default: ${DEFAULT-VALUE}.")
    double maxGradientNorm = 0.3;

    void check(Problems problems) {
        problems.require(
                learningRate > 0 && Double.isFinite(learningRate),
                "--learning-rate: expected a number above 0, found %s",
                learningRate);
        problems.requireAtLeast("--warmup-steps", 0, warmupSteps);
        problems.require(
                warmupRatio >= 0 && warmupRatio <= 1,
                "--warmup-ratio: expected a number from 0 to 1, found %s",
                warmupRatio);
        problems.require(maxGradientNorm >= 0, "--max-grad-norm: expected 0 (off) or more, found %s", maxGradientNorm);
        problems.collect(
                "--adam-beta1, --adam-beta2, --adam-epsilon, --weight-decay, --loraplus-ratio", this::optimizer);
    }

    OptimizerSpec optimizer() {
        return new OptimizerSpec(kind, beta1, beta2, epsilon, weightDecay, loraPlusRatio);
    }

    /** The warm-up in steps is a share of {@code steps} unless it was given. */
    Schedule schedule(int steps) {
        int warmup = warmupSteps > 0 ? warmupSteps : (int) Math.ceil(warmupRatio * steps);
        return new Schedule(schedule, learningRate, warmup, steps);
    }
}

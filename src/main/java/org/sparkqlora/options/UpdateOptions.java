package org.sparkqlora.options;

import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.objective.ObjectiveKind;
import org.sparkqlora.optim.DecayedTensors;
import org.sparkqlora.optim.OptimizerKind;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.optim.PagePlace;
import org.sparkqlora.optim.Paging;
import org.sparkqlora.optim.Schedule;
import org.sparkqlora.optim.ScheduleKind;
import picocli.CommandLine.Option;

/** The optimiser, its learning rate schedule and the clipping of gradients. */
@OptionGroup.In(OptionGroup.OPTIMIZER)
public final class UpdateOptions {
    /** So many steps are few: the one that the warm-up begins with is a tenth of them or more. */
    private static final int FEW_STEPS = 10;

    private static final double SUPERVISED_RATE = 2e-4;

    /** Of losses of answers, as TRL advises it for adapters. */
    private static final double ANSWER_RATE = 5e-6;

    private static final double REWARD_RATE = 1e-4;

    @OptionGroup.Common
    @Option(
            names = "--optimizer",
            defaultValue = "paged_adamw_8bit",
            paramLabel = "NAME",
            description =
                    "adamw or lion, also with paged_ and _8bit, or sgd. The paged ones give the same bytes as the others."
                            + " Default: ${DEFAULT-VALUE}.")
    OptimizerKind kind = OptimizerKind.PAGED_ADAMW_8BIT;

    @Option(
            names = "--optimizer-window",
            defaultValue = "64M",
            paramLabel = "BYTES",
            description =
                    "Bound on what a paged optimizer works on at once in a process, such as 16M; changes no result."
                            + " Default: ${DEFAULT-VALUE}.")
    ByteCount window = new ByteCount(Paging.DEFAULT.windowBytes());

    @Option(
            names = "--optimizer-pages",
            defaultValue = "auto",
            paramLabel = "PLACE",
            description =
                    "Where a paged optimizer keeps the rest: memory, file (in spark.local.dir) or auto, a file if a"
                            + " quarter of the driver's heap is too small. Default: ${DEFAULT-VALUE}.")
    PageChoice pages = PageChoice.AUTO;

    @OptionGroup.Common
    @Option(
            names = "--learning-rate",
            paramLabel = "R",
            description = "The learning rate after the warm-up. Default: 2e-4; reward: 1e-4, preferences: 5e-6.")
    @Nullable
    Double learningRate;

    @OptionGroup.Common
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
            description =
                    "Steps of linear warm-up, of which the first has rate 0; never all steps. 0 leaves it to --warmup-ratio.")
    int warmupSteps;

    @Option(
            names = "--warmup-ratio",
            defaultValue = "0.03",
            paramLabel = "X",
            description = "Share of all steps for the warm-up. Default: ${DEFAULT-VALUE}.")
    double warmupRatio = 0.03;

    @Option(
            names = "--weight-decay",
            defaultValue = "0",
            paramLabel = "X",
            description =
                    "Decay of adapters, or of a whole model but for its norms and biases. Default: ${DEFAULT-VALUE}.")
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
    public double maxGradientNorm = 0.3;

    public void check(Problems problems) {
        problems.require(
                learningRate == null || learningRate > 0 && Double.isFinite(learningRate),
                "--learning-rate: expected a number above 0, found %s",
                learningRate);
        problems.requireAtLeast("--warmup-steps", 0, warmupSteps);
        problems.require(
                warmupRatio >= 0 && warmupRatio <= 1,
                "--warmup-ratio: expected a number from 0 to 1, found %s",
                warmupRatio);
        problems.require(maxGradientNorm >= 0, "--max-grad-norm: expected 0 (off) or more, found %s", maxGradientNorm);
        problems.requireAtLeast("--optimizer-window", Paging.SMALLEST_WINDOW, window.value());
        problems.collect(
                "--adam-beta1, --adam-beta2, --adam-epsilon, --weight-decay, --loraplus-ratio", this::optimizer);
    }

    public OptimizerSpec optimizer() {
        return new OptimizerSpec(kind, beta1, beta2, epsilon, weightDecay, loraPlusRatio, DecayedTensors.ALL);
    }

    /** As {@link #optimizer()}, with weight decay on the tensors that a method decays. */
    public OptimizerSpec optimizer(Method method) {
        boolean whole = method == Method.FULL && weightDecay > 0;
        return optimizer().decaying(whole ? DecayedTensors.WITHOUT_NORMS_AND_BIASES : DecayedTensors.ALL);
    }

    /** The place of {@code bytes} of training state in a process with a heap of {@code heapBytes}; the console is told why. */
    public Paging paging(long bytes, long heapBytes, Console console) {
        PagePlace place = pages.place(bytes, heapBytes);
        if (kind.paged()) {
            console.note(
                    "optimizer pages: %s (%s; %s of weights that train, gradients and optimizer state, %s of heap)",
                    place.name().toLowerCase(Locale.ROOT),
                    pages == PageChoice.AUTO ? "a file where they would fill a quarter of the heap" : "as asked for",
                    ByteCount.describe(bytes),
                    ByteCount.describe(heapBytes));
        }

        return new Paging(place, window.value());
    }

    /** The place of pages in an estimate, which knows no heap: memory unless a file was asked for. */
    public Paging plannedPaging() {
        return new Paging(pages == PageChoice.FILE ? PagePlace.FILE : PagePlace.MEMORY, window.value());
    }

    /** The warm-up in steps is a share of {@code steps} unless it was given, and never takes all of them. */
    public Schedule schedule(int steps, ObjectiveKind objective) {
        double rate = learningRate == null ? learningRateOf(objective) : learningRate;
        return new Schedule(schedule, rate, Math.min(askedWarmup(steps), steps - 1), steps);
    }

    /** Tells where a run of {@code steps} learns less than one would think. */
    public void warn(int steps, Console console) {
        int asked = askedWarmup(steps);
        if (warmupSteps >= steps) {
            console.warn("the warm-up takes %d of %d steps, not %d: it never takes all", steps - 1, steps, warmupSteps);
        }

        if (steps > 1 && asked > 0 && steps <= FEW_STEPS) {
            console.warn(
                    "1 of %d steps has learning rate 0, with which the warm-up begins, and changes nothing: --warmup-ratio 0 is without a warm-up",
                    steps);
        }
    }

    /** The learning rate of an objective unless it was given. */
    public static double learningRateOf(ObjectiveKind objective) {
        return switch (objective) {
            case SFT, CLASSIFY -> SUPERVISED_RATE;
            case REWARD -> REWARD_RATE;
            case DPO, KTO, ORPO, CPO, SIMPO -> ANSWER_RATE;
        };
    }

    private int askedWarmup(int steps) {
        return warmupSteps > 0 ? warmupSteps : (int) Math.ceil(warmupRatio * steps);
    }
}

package org.sparkqlora.command.plan;

import java.util.List;
import java.util.Optional;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.options.NetworkSpeed;
import org.sparkqlora.options.OptionGroup;
import org.sparkqlora.options.Problems;
import org.sparkqlora.run.bench.ClusterSpeedJson;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.spark.speed.ClusterSpeed;
import org.sparkqlora.train.BatchShape;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.weights.family.ModelConfig;
import picocli.CommandLine.Option;

/** The options of {@code plan} about time. */
final class CostOptions {
    @OptionGroup.In(OptionGroup.CLUSTER)
    @Option(
            names = "--network",
            paramLabel = "SPEED",
            description =
                    "Also the seconds of a step on each number of --executors, by --exchange shuffle over a network of so many bits a"
                            + " second, such as 10Gb. Estimated by a model of costs.")
    @Nullable
    NetworkSpeed network;

    @OptionGroup.In(OptionGroup.CLUSTER)
    @Option(
            names = "--tokens-per-second",
            paramLabel = "N",
            description =
                    "For --network: what a task trains, as bench or the log of a run tells. Default: estimated from the model and"
                            + " --task-cpus.")
    @Nullable
    Double tokensPerSecond;

    @OptionGroup.In(OptionGroup.CLUSTER)
    @Option(
            names = "--cluster-constants",
            paramLabel = "FILE",
            description =
                    "What bench --cluster --result wrote, in place of the built-in costs of a block, a task, a stage and a message, and of"
                            + " the network unless --network is given.")
    @Nullable
    Location constants;

    void check(Problems problems, List<Integer> executors) {
        problems.require(
                isAsked() || executors.size() == 1,
                "--executors: expected one number, or several with --network, found %s",
                executors);
        problems.require(
                isAsked() || tokensPerSecond == null, "--tokens-per-second: expected --network with it, found none");
        problems.require(
                tokensPerSecond == null || tokensPerSecond > 0 && Double.isFinite(tokensPerSecond),
                "--tokens-per-second: expected a number above 0, found %s",
                tokensPerSecond);
    }

    private boolean isAsked() {
        return network != null || constants != null;
    }

    /**
     * The seconds of steps; none unless a network was named or measured.
     *
     * @param specs of the methods
     * @param steps on each number of executors
     * @param operations a second of a task
     * @param threads of a task
     * @param isSharded whether the executors of such a step share the optimiser's state out
     */
    Optional<CostReport> report(
            ModelConfig config,
            List<ModelSpec> specs,
            List<BatchShape> steps,
            double operations,
            int threads,
            GradientDtype wire,
            BiPredicate<ModelSpec, BatchShape> isSharded) {
        if (!isAsked()) {
            return Optional.empty();
        }

        Optional<ClusterSpeed> speed = Optional.ofNullable(constants).map(CostOptions::read);
        CostConstants known = speed.map(CostConstants.DEFAULT::with).orElse(CostConstants.DEFAULT);
        NetworkSpeed ofExecutor = network != null
                ? network
                : NetworkSpeed.ofBytes(known.networkOf(speed.orElseThrow().networkBytes()));
        CostModel model = new CostModel(known, ofExecutor.bytesPerSecond());
        List<CostReport.ClusterCost> costs = specs.stream()
                .flatMap(spec -> steps.stream()
                        .map(step -> new CostReport.ClusterCost(
                                spec.method(),
                                step,
                                model.of(
                                        shape(config, spec, step, threads, wire, isSharded.test(spec, step)),
                                        compute(config, spec, step, new ComputeSpeed(operations))))))
                .toList();
        return Optional.of(new CostReport(ofExecutor, costs));
    }

    private static ClusterSpeed read(Location file) {
        String text = file.text()
                .orElseThrow(() -> new BadInputException(
                        "Cannot read %s: expected what bench --cluster --result wrote, found nothing".formatted(file)));
        return ClusterSpeedJson.readResult(file.toString(), text);
    }

    private static StepShape shape(
            ModelConfig config, ModelSpec spec, BatchShape step, int threads, GradientDtype wire, boolean isSharded) {
        return new StepShape(
                ParameterIndex.of(config, spec).size(),
                step.shards(),
                step.executors(),
                threads * step.tasksAtOnce(),
                wire,
                isSharded);
    }

    private double compute(ModelConfig config, ModelSpec spec, BatchShape step, ComputeSpeed estimated) {
        return tokensPerSecond == null
                ? estimated.seconds(config, spec, step)
                : ComputeSpeed.tokens(step) / tokensPerSecond;
    }
}

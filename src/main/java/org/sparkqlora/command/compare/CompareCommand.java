package org.sparkqlora.command.compare;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.spark.SparkConf;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.command.Command;
import org.sparkqlora.command.plan.ComparisonJson;
import org.sparkqlora.command.plan.MeasuredRun;
import org.sparkqlora.command.plan.MeasuredRun.MethodRun;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.GivenOptions;
import org.sparkqlora.options.OptionGroup;
import org.sparkqlora.options.Problems;
import org.sparkqlora.options.Required;
import org.sparkqlora.options.TrainOptions;
import org.sparkqlora.run.model.AdapterStart;
import org.sparkqlora.run.model.BaseCheck;
import org.sparkqlora.train.metrics.ProcessMemory;
import org.sparkqlora.weights.family.ModelConfig;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code compare}: the same training by several methods, each in a process of its own. */
@OptionGroup.In(OptionGroup.RUN)
@CommandLine.Command(
        name = "compare",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        abbreviateSynopsis = true,
        description = "Trains a model by each method, on the same rows and steps, one after the other on this machine,"
                + " and prints what each took and what it came to. Takes the options of train; --output gets a folder a"
                + " method.")
public final class CompareCommand implements Command {
    private static final String METHOD = "--method";
    private static final String METHODS = "--methods";
    private static final String OUTPUT = "--output";
    private static final String LEARNING_RATE = "--learning-rate";
    private static final String LEARNING_RATE_OF = "--learning-rate-of";

    /** Options that each run gets in a form of its own. */
    private static final Set<String> OWN = Set.of(METHOD, METHODS, OUTPUT, LEARNING_RATE_OF);

    @Spec
    @Nullable
    CommandSpec command;

    @Option(
            names = METHODS,
            split = ",",
            defaultValue = "full,lora,qlora",
            paramLabel = "METHOD",
            description = "What to compare. Default: ${DEFAULT-VALUE}.")
    List<Method> methods = new ArrayList<>();

    @Option(
            names = LEARNING_RATE_OF,
            split = ",",
            paramLabel = "METHOD=R",
            description = "Another --learning-rate for a method, such as full=2e-5: full fine-tuning wants a tenth of"
                    + " what adapters do.")
    Map<Method, Double> learningRates = new EnumMap<>(Method.class);

    @Mixin
    TrainOptions train = new TrainOptions();

    @Override
    public void check(Problems problems) {
        train.check(problems);
        train.checkMethods(METHODS, methods, problems);
        problems.requireAbsent(OUTPUT, train.run.output);
        problems.require(!given().contains(METHOD), "--method: expected --methods in its place");
        problems.require(ProcessMemory.isTold(), "compare: expected Linux, which tells peaks; found another system");
        String master = new SparkConf().get("spark.master", "local[*]");
        problems.require(
                master.startsWith("local[") || master.equals("local"),
                "compare: expected a local master, where one process does all the work; found %s",
                master);
    }

    @Override
    public String run(Console console) {
        checkAdapters();
        List<MethodRun> runs = new ArrayList<>();
        for (Method method : methods) {
            console.note("--method %s", method.optionName());
            runs.add(MeasuredRun.of(method, arguments(method), Map.of(), console));
        }

        new ComparisonTable(runs).lines().forEach(line -> console.note("%s", line));
        return ComparisonJson.summary(runs);
    }

    /** The process that would find it comes after others, and they take long. */
    private void checkAdapters() {
        ModelConfig config = BaseCheck.check(train.model);
        methods.forEach(method -> AdapterStart.of(method, train.adapter, train.model.folder(), config));
    }

    /** The command line of {@code train} by {@code method}: this one, but for what is told otherwise. */
    private List<String> arguments(Method method) {
        Double learningRate = learningRates.get(method);
        Set<String> replaced = new HashSet<>(OWN);
        if (learningRate != null) {
            replaced.add(LEARNING_RATE);
        }

        List<String> arguments = new ArrayList<>(given().without(replaced));
        arguments.add("%s=%s".formatted(OUTPUT, train.run.output().resolve(method.optionName())));
        if (learningRate != null) {
            arguments.add("%s=%s".formatted(LEARNING_RATE, learningRate));
        }

        return arguments;
    }

    private GivenOptions given() {
        return new GivenOptions(Required.value("command", command));
    }

    /** Methods side by side, in Markdown. */
    private record ComparisonTable(List<MethodRun> runs) {
        private static final double MEGA = 1e6;

        ComparisonTable {
            runs = List.copyOf(runs);
        }

        List<String> lines() {
            return List.of(
                    row("", run -> run.method().optionName()),
                    "|---|" + "---|".repeat(runs.size()),
                    row("trained parameters", run -> String.format(Locale.ROOT, "%,d", run.trainedParameters())),
                    row("peak memory, MB", run -> inMegabytes(run.peakBytes(), "%,.0f")),
                    row("tokens/s", run -> format("%.0f", run.tokensPerSecond())),
                    row("loss of the last step", run -> format("%.3f", run.lastLoss())),
                    row("loss on held-out rows", ComparisonTable::evaluation),
                    row("published, MB", run -> inMegabytes(run.resultBytes(), "%,.1f")));
        }

        private static String evaluation(MethodRun run) {
            return run.evaluationLoss().isPresent()
                    ? format("%.3f", run.evaluationLoss().getAsDouble())
                    : "-";
        }

        private String row(String label, Function<MethodRun, String> cell) {
            return runs.stream().map(cell).collect(Collectors.joining(" | ", "| %s | ".formatted(label), " |"));
        }

        private static String inMegabytes(long bytes, String format) {
            return format(format, bytes / MEGA);
        }

        private static String format(String format, double value) {
            return String.format(Locale.ROOT, format, value);
        }
    }
}

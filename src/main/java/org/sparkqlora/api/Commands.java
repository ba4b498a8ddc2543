package org.sparkqlora.api;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sparkqlora.command.Command;
import org.sparkqlora.command.CommandCall;
import org.sparkqlora.command.CommandOutcome;
import org.sparkqlora.command.EvaluateCommand;
import org.sparkqlora.command.ExportCommand;
import org.sparkqlora.command.Failure;
import org.sparkqlora.command.GateCommand;
import org.sparkqlora.command.GenerateCommand;
import org.sparkqlora.command.MergeCommand;
import org.sparkqlora.command.PrepareCommand;
import org.sparkqlora.command.PublishCommand;
import org.sparkqlora.command.QuantizeCommand;
import org.sparkqlora.command.ResultFile;
import org.sparkqlora.command.TrainCommand;
import org.sparkqlora.command.bench.BenchCommand;
import org.sparkqlora.command.bench.BenchPart;
import org.sparkqlora.command.bench.ModelShape;
import org.sparkqlora.command.compare.CompareCommand;
import org.sparkqlora.command.demo.DemoCommand;
import org.sparkqlora.command.inspect.InspectCommand;
import org.sparkqlora.command.plan.PlanCommand;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.LogStream;
import org.sparkqlora.options.NamedOptions;
import org.sparkqlora.options.OptionParser;
import org.sparkqlora.options.Problems;
import org.sparkqlora.options.Required;
import org.sparkqlora.spark.cluster.Location;
import picocli.CommandLine;

/**
 * The commands for other code in this process, such as a notebook's: options by name in, a summary out, a failure thrown. Uses the
 * session that is there, and neither ends it nor the process. Driver only.
 */
public final class Commands {
    /** In the order of the help. */
    public static final List<Class<? extends Command>> ALL = List.of(
            DemoCommand.class,
            PrepareCommand.class,
            TrainCommand.class,
            EvaluateCommand.class,
            GenerateCommand.class,
            QuantizeCommand.class,
            MergeCommand.class,
            ExportCommand.class,
            InspectCommand.class,
            PlanCommand.class,
            CompareCommand.class,
            BenchCommand.class,
            GateCommand.class,
            PublishCommand.class);

    /** Before the name of a command, on a command line and in the file of a result. */
    public static final String PROGRAM = "spark-qlora";

    private static final Logger LOG = LoggerFactory.getLogger(Commands.class);

    private Commands() {}

    /**
     * Runs a command whose progress goes to the log.
     *
     * @param arguments what it takes beside options
     * @param options by name: text, number, true, list or map; {@code config} and {@code result} name files as on a command line
     * @return its summary, a JSON object in one line
     * @throws BadInputException if configuration or input is bad, telling all that is wrong with the options
     */
    public static String run(String command, List<String> arguments, Map<String, ?> options) {
        return run(command, arguments, options, LogStream.console(LOG));
    }

    /** Runs a command with its progress on stderr. */
    public static String follow(String command, List<String> arguments, Map<String, ?> options) {
        return run(command, arguments, options, Console.log(System.err, System.err));
    }

    /** Makes {@code line} a parser of the options of all commands, which collects all errors instead of stopping at the first. */
    public static CommandLine reading(CommandLine line) {
        OptionParser.register(line, ModelShape.class, ModelShape::parse);
        OptionParser.register(line, BenchPart.class, BenchPart::parse);
        return OptionParser.reading(line);
    }

    /** Name of a command. */
    public static String name(Class<? extends Command> command) {
        return command.getAnnotation(CommandLine.Command.class).name();
    }

    private static String run(String command, List<String> arguments, Map<String, ?> options, Console console) {
        Map<String, Object> own = new HashMap<>(options);
        ResultFile result = new ResultFile(place(own.remove("result")));
        Location config = place(own.remove("config"));
        CommandLine parser = reading(new CommandLine(known(command)));
        try {
            String summary =
                    run(parser, config, arguments, NamedOptions.of(own, parser.getCommandSpec()), result, console);
            result.leave(PROGRAM + " " + command, CommandOutcome.done(summary));
            return summary;
        } catch (Exception | Error e) {
            leaveFailure(result, command, e);
            throw e;
        }
    }

    private static String run(
            CommandLine parser,
            @Nullable Location config,
            List<String> arguments,
            NamedOptions options,
            ResultFile result,
            Console console) {
        List<String> line = new ArrayList<>(arguments);
        line.addAll(options.arguments());
        CommandCall call = CommandCall.of(parser.parseArgs(line.toArray(String[]::new)), config);
        Problems problems = new Problems();
        options.problems().forEach(problems::add);
        call.problems().forEach(problems::add);
        result.problems().forEach(problems::add);
        problems.requireNone();
        return Required.value("command", call.command()).run(console);
    }

    private static Class<? extends Command> known(String command) {
        return ALL.stream()
                .filter(each -> name(each).equals(command))
                .findFirst()
                .orElseThrow(() -> new BadInputException("Cannot run: expected one of %s, found %s"
                        .formatted(ALL.stream().map(Commands::name).toList(), command)));
    }

    private static @Nullable Location place(@Nullable Object given) {
        return given == null || Boolean.FALSE.equals(given) ? null : Location.parse(String.valueOf(given));
    }

    /** That it cannot be written there does not hide what was {@code thrown}. */
    private static void leaveFailure(ResultFile result, String command, Throwable thrown) {
        Failure failure = Failure.of(thrown);
        try {
            result.leave(PROGRAM + " " + command, CommandOutcome.refused(failure.code(), failure.reasons()));
        } catch (RuntimeException | Error second) {
            if (second != thrown) { // a JVM without memory throws one object again and again
                thrown.addSuppressed(second);
            }
        }
    }
}

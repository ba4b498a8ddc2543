package org.sparkqlora.cli;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.cli.bench.BenchCommand;
import org.sparkqlora.cli.bench.BenchPart;
import org.sparkqlora.cli.bench.ModelShape;
import org.sparkqlora.cli.command.Command;
import org.sparkqlora.cli.command.CommandOutcome;
import org.sparkqlora.cli.command.EvaluateCommand;
import org.sparkqlora.cli.command.ExportCommand;
import org.sparkqlora.cli.command.GateCommand;
import org.sparkqlora.cli.command.GenerateCommand;
import org.sparkqlora.cli.command.MergeCommand;
import org.sparkqlora.cli.command.PrepareCommand;
import org.sparkqlora.cli.command.PublishCommand;
import org.sparkqlora.cli.command.QuantizeCommand;
import org.sparkqlora.cli.command.ResultJson;
import org.sparkqlora.cli.command.TrainCommand;
import org.sparkqlora.cli.compare.CompareCommand;
import org.sparkqlora.cli.demo.DemoCommand;
import org.sparkqlora.cli.inspect.InspectCommand;
import org.sparkqlora.cli.plan.PlanCommand;
import org.sparkqlora.options.OptionFile;
import org.sparkqlora.options.OptionList;
import org.sparkqlora.options.OptionParser;
import org.sparkqlora.options.Problems;
import org.sparkqlora.spark.cluster.Location;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** The root of the commands. */
@CommandLine.Command(
        name = "spark-qlora",
        mixinStandardHelpOptions = true,
        versionProvider = RootCommand.Version.class,
        description = "Fine-tunes large language models with QLoRA as a Spark job.",
        footer = {
            "",
            "Exit codes: 0 done; 2 command line not understood; 64 a bad value, configuration or input;",
            "75 failed for a reason outside, the same command continues."
        })
public final class RootCommand {
    /** In the order of the help. */
    private static final List<Class<? extends Command>> COMMANDS = List.of(
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

    @Option(
            names = "--result",
            scope = ScopeType.INHERIT,
            paramLabel = "FILE",
            description =
                    "Also write how it ended to this file, on any Hadoop file system: JSON with exit code, reasons and"
                            + " the summary.")
    private @Nullable Location result;

    @Option(
            names = OptionFile.OPTION,
            scope = ScopeType.INHERIT,
            paramLabel = "FILE",
            description =
                    "Take options of the command from this YAML file. They have the names that they have here, in their groups or"
                            + " not; an option of the command line takes the place of the file's. Any Hadoop file system.")
    @Nullable
    Location config;

    @Option(names = OptionList.ALL, scope = ScopeType.INHERIT, description = "Show the help of all options and exit.")
    boolean helpAll;

    /** All that speaks against writing to the file that was asked for. */
    List<String> problems() {
        Problems problems = new Problems();
        Location file = result;
        if (file != null && file.isLocal()) {
            problems.requireOwn("--result", file.local(), ResultJson.BEGINNING);
        }

        return problems.all();
    }

    /** Writes how {@code command} ended to the file that was asked for, if one was; another file that is there stays. */
    void leaveResult(String command, CommandOutcome ending) {
        if (result != null && problems().isEmpty()) {
            result.replaceText(ResultJson.write(command, ending));
        }
    }

    /** A parser of all commands that collects all errors instead of stopping at the first. */
    public static CommandLine commandLine() {
        return commandLine(List.of());
    }

    /** One that knows the command that {@code arguments} name alone, or all where they name none: each has a hundred options. */
    static CommandLine commandLine(List<String> arguments) {
        CommandLine root = new CommandLine(new RootCommand());
        List<Class<? extends Command>> named = COMMANDS.stream()
                .filter(command -> arguments.contains(name(command)))
                .toList();
        (named.isEmpty() ? COMMANDS : named).forEach(root::addSubcommand);
        CommandLine line = OptionParser.reading(root);
        OptionParser.register(line, ModelShape.class, ModelShape::parse);
        OptionParser.register(line, BenchPart.class, BenchPart::parse);
        return line;
    }

    private static String name(Class<? extends Command> command) {
        return command.getAnnotation(CommandLine.Command.class).name();
    }

    /** The version of the jar. */
    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = RootCommand.class.getPackage().getImplementationVersion();
            return new String[] {"spark-qlora " + (version == null ? "(not packaged)" : version)};
        }
    }
}

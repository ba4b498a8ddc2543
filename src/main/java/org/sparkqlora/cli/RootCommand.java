package org.sparkqlora.cli;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.api.Commands;
import org.sparkqlora.command.Command;
import org.sparkqlora.command.CommandCall;
import org.sparkqlora.command.ResultFile;
import org.sparkqlora.options.OptionFile;
import org.sparkqlora.options.OptionList;
import org.sparkqlora.spark.cluster.Location;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.ScopeType;

/** The root of the commands. */
@CommandLine.Command(
        name = Commands.PROGRAM,
        mixinStandardHelpOptions = true,
        versionProvider = RootCommand.Version.class,
        description = "Fine-tunes large language models with QLoRA as a Spark job.",
        footer = {
            "",
            "Exit codes: 0 done; 2 command line not understood; 64 a bad value, configuration or input;",
            "75 failed for a reason outside, the same command continues."
        })
public final class RootCommand {
    @Option(
            names = ResultFile.OPTION,
            scope = ScopeType.INHERIT,
            paramLabel = "FILE",
            description =
                    "Also write how it ended to this file, on any Hadoop file system: JSON with exit code, reasons and"
                            + " the summary.")
    private @Nullable Location resultLocation;

    @Option(
            names = OptionFile.OPTION,
            scope = ScopeType.INHERIT,
            paramLabel = "FILE",
            description =
                    "Take options of the command from this YAML file. They have the names that they have here, in their groups or"
                            + " not; an option of the command line takes the place of the file's. Any Hadoop file system.")
    private @Nullable Location config;

    @Option(names = OptionList.ALL, scope = ScopeType.INHERIT, description = "Show the help of all options and exit.")
    boolean helpAll;

    /** The command of a line that was parsed; throws if the file that its {@code --config} names cannot be read. */
    public static CommandCall call(ParseResult line) {
        RootCommand root = line.commandSpec().commandLine().getCommand();
        return CommandCall.of(line, root.config);
    }

    ResultFile result() {
        return new ResultFile(resultLocation);
    }

    /** A parser of all commands that collects all errors instead of stopping at the first. */
    public static CommandLine commandLine() {
        return commandLine(List.of());
    }

    /** One that knows the command that {@code arguments} name alone, or all where they name none: each has a hundred options. */
    static CommandLine commandLine(List<String> arguments) {
        CommandLine root = new CommandLine(new RootCommand());
        List<Class<? extends Command>> named = Commands.ALL.stream()
                .filter(command -> arguments.contains(Commands.name(command)))
                .toList();
        (named.isEmpty() ? Commands.ALL : named).forEach(root::addSubcommand);
        return Commands.reading(root);
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

package org.sparkqlora.options;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.sparkqlora.options.Setting.Kind;
import picocli.CommandLine;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/**
 * The options of a command as programs set them. There is one definition of each: name, type, default and description are those of
 * the command line, and values are checked as it checks them.
 */
public final class Settings {
    private static final String DEFAULT_NOTE =
            "\\s*Default: \\$\\{DEFAULT-VALUE\\}( \\(off\\)|: by the fields of each record)?\\.?";
    private static final Map<Class<?>, Kind> NUMBERS = Map.of(
            int.class, Kind.INTEGER,
            Integer.class, Kind.INTEGER,
            long.class, Kind.LONG,
            Long.class, Kind.LONG,
            double.class, Kind.DOUBLE,
            Double.class, Kind.DOUBLE);

    private final CommandKind command;

    /** The commands that programs set up by their options. */
    public enum CommandKind {
        /** {@code train}. */
        TRAIN,
        /** What {@code generate} and {@code evaluate} take, where a table of rows is their data. */
        USE;

        Object fresh() {
            return switch (this) {
                case TRAIN -> new TrainOptions();
                case USE -> new UseOptions();
            };
        }
    }

    private Settings(CommandKind command) {
        this.command = command;
    }

    public static Settings of(CommandKind command) {
        return new Settings(command);
    }

    /** All of them, in the order of {@code --help}. */
    public List<Setting> all() {
        return line().getCommandSpec().options().stream()
                .filter(option -> !option.usageHelp() && !option.versionHelp())
                .map(Settings::setting)
                .toList();
    }

    /** What is wrong with {@code arguments} by themselves: a word where a number must be. */
    public Optional<String> problem(List<String> arguments) {
        ParseResult result = line().parseArgs(arguments.toArray(String[]::new));
        return result.errors().stream()
                .filter(error -> !(error instanceof MissingParameterException))
                .map(error -> String.valueOf(error.getMessage()))
                .findFirst();
    }

    private CommandLine line() {
        return OptionParser.of(command.fresh());
    }

    private static Setting setting(OptionSpec option) {
        String name = option.longestName();
        return new Setting(camelCase(name), name, description(option), kind(option), option.defaultValue());
    }

    private static Kind kind(OptionSpec option) {
        Class<?> type = option.type();
        if (Collection.class.isAssignableFrom(type) || Map.class.isAssignableFrom(type)) {
            return Kind.LIST;
        }

        if (type == boolean.class) {
            return Kind.FLAG;
        }

        return NUMBERS.getOrDefault(type, Kind.TEXT);
    }

    private static String camelCase(String option) {
        List<String> words = new ArrayList<>(Arrays.asList(option.substring(2).split("-", -1)));
        String first = words.remove(0);
        return first
                + words.stream()
                        .map(word -> word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1))
                        .collect(Collectors.joining());
    }

    /** Whoever explains a param tells its default anyway. */
    private static String description(OptionSpec option) {
        String text = String.join(" ", option.description()).replace("%%", "%").replace("%n", " ");
        String told = text.replaceAll(DEFAULT_NOTE, "").strip();
        return told.isEmpty() ? option.longestName().substring(2).replace('-', ' ') : told;
    }
}

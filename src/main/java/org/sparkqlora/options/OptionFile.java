package org.sparkqlora.options;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.ToIntFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.unsafe.types.UTF8String;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.InputLimits;
import org.sparkqlora.options.OptionValue.Field;
import org.sparkqlora.options.OptionValue.Fields;
import org.sparkqlora.spark.cluster.Location;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/** The options that a file gives to a command, for those that its command line does not give. They may stand in their groups. */
public final class OptionFile {
    /** Names the file on a command line. */
    public static final String OPTION = "--config";

    private static final String DASHES = "--";

    private final String file;
    private final CommandSpec command;
    private final Set<String> given;
    private final Map<String, OptionSpec> known;
    private final Map<String, OptionGroup> groups;
    private final Map<String, Entry> entries = new LinkedHashMap<>();
    private final List<String> problems = new ArrayList<>();

    /** An option that the file gives: as a command line would, and where it stands. */
    private record Entry(List<String> arguments, int line) {}

    private OptionFile(String file, ParseResult line) {
        this.file = file;
        this.command = line.commandSpec();
        this.given = line.matchedOptions().stream().map(OptionFile::name).collect(Collectors.toSet());
        this.known = known(command);
        this.groups = known.values().stream()
                .map(OptionGroup::of)
                .distinct()
                .collect(Collectors.toMap(OptionGroup::key, Function.identity()));
    }

    /** No file beside {@code line}. */
    public static OptionFile none(ParseResult line) {
        return new OptionFile("", line);
    }

    /** Reads {@code location} for the command of {@code line}; throws if it is not there, or no YAML of names and values. */
    public static OptionFile read(Location location, ParseResult line) {
        OptionFile file = new OptionFile(location.toString(), line);
        String text = location.text(InputLimits.DEFAULT.optionsBytes())
                .orElseThrow(() -> new BadInputException(
                        "--config: Cannot open file %s: expected a file, found nothing".formatted(location)));
        OptionsYaml.read(file.file, text).forEach(file::addField);
        file.entries.keySet().removeAll(file.given);
        return file;
    }

    /** The problems of the file itself. */
    public List<String> problems() {
        return List.copyOf(problems);
    }

    /** Its options as a command line would give them. */
    public List<String> arguments() {
        return entries.values().stream()
                .flatMap(entry -> entry.arguments().stream())
                .toList();
    }

    /** A problem with the lines of the options that it names. */
    public String located(String problem) {
        String places = entries.entrySet().stream()
                .filter(entry -> names(problem, entry.getKey()))
                .map(entry -> String.format(
                        Locale.ROOT,
                        "%s in line %d",
                        entry.getKey(),
                        entry.getValue().line()))
                .collect(Collectors.joining(", "));
        return places.isEmpty() ? problem : "%s (%s of %s)".formatted(problem, places, file);
    }

    private static boolean names(String problem, String option) {
        return Arrays.asList(problem.split("[^a-z0-9-]+", -1)).contains(DASHES + option);
    }

    private void addField(Field field) {
        OptionGroup group = groups.get(field.name());
        if (group != null && field.value() instanceof Fields nested) {
            nested.fields().forEach(option -> addOption(option, group));
        } else {
            addOption(field, null);
        }
    }

    private void addOption(Field field, @Nullable OptionGroup group) {
        String name = field.name().startsWith(DASHES) ? field.name().substring(DASHES.length()) : field.name();
        OptionSpec option = known.get(name);
        Entry earlier = entries.get(name);
        if (option == null) {
            refuse(field, "an option of " + command.name(), field.name() + nearest(field));
        } else if (group != null && group != OptionGroup.of(option)) {
            refuse(field, name + " in group " + OptionGroup.of(option).key(), "it in " + group.key());
        } else if (earlier != null) {
            refuse(field, name + " once", "it in line " + earlier.line() + " too");
        } else {
            field.value()
                    .arguments(option, (expected, found) -> refuse(field, expected, found))
                    .ifPresent(arguments -> entries.put(name, new Entry(arguments, field.line())));
        }
    }

    private Optional<List<String>> refuse(Field field, String expected, String found) {
        problems.add(String.format(
                Locale.ROOT, "Cannot read %s, line %d: expected %s, found %s", file, field.line(), expected, found));
        return Optional.empty();
    }

    private String nearest(Field field) {
        Stream<String> names = field.value() instanceof Fields
                ? Stream.concat(groups.keySet().stream(), known.keySet().stream())
                : known.keySet().stream();
        return nearest(field.name(), names);
    }

    /** A question whether another name was meant, the nearest of {@code names}; empty where more than half of the letters differ. */
    static String nearest(String found, Stream<String> names) {
        UTF8String text = UTF8String.fromString(found);
        ToIntFunction<String> distance = name -> UTF8String.fromString(name).levenshteinDistance(text);
        return names.sorted()
                .min(Comparator.comparingInt(distance))
                .filter(name -> 2 * distance.applyAsInt(name) <= found.length())
                .map(". Did you mean %s?"::formatted)
                .orElse("");
    }

    /** The options of a command by their names without dashes. */
    static Map<String, OptionSpec> known(CommandSpec command) {
        return command.options().stream()
                .filter(option -> !option.inherited() && !option.usageHelp() && !option.versionHelp())
                .collect(Collectors.toMap(OptionFile::name, Function.identity()));
    }

    private static String name(OptionSpec option) {
        return option.longestName().substring(DASHES.length());
    }
}

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
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.unsafe.types.UTF8String;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.InputLimits;
import org.sparkqlora.model.layout.TargetModules;
import org.sparkqlora.options.OptionsYaml.Field;
import org.sparkqlora.options.OptionsYaml.Fields;
import org.sparkqlora.options.OptionsYaml.Text;
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
        this.known = command.options().stream()
                .filter(option -> !option.inherited() && !option.usageHelp() && !option.versionHelp())
                .collect(Collectors.toMap(OptionFile::name, Function.identity()));
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
            arguments(option, field).ifPresent(arguments -> entries.put(name, new Entry(arguments, field.line())));
        }
    }

    /** As a command line would give the option; nothing where the value is refused. */
    private Optional<List<String>> arguments(OptionSpec option, Field field) {
        if (option.arity().max() == 0) {
            return flag(option, field);
        }

        if (field.value() instanceof Text text && text.isNull()) {
            return option.arity().min() == 0
                    ? Optional.of(List.of(option.longestName()))
                    : refuse(field, "a value for " + field.name(), "none");
        }

        List<String> texts = field.value().texts();
        if (option.isMultiValue()) {
            return Optional.of(
                    texts.stream().map(text -> argument(option, text)).toList());
        }

        return field.value() instanceof Text || option.type() == TargetModules.class
                ? Optional.of(List.of(argument(option, String.join(",", texts))))
                : refuse(field, "one value for " + field.name(), "several");
    }

    private Optional<List<String>> flag(OptionSpec option, Field field) {
        String word = String.join(",", field.value().texts());
        return switch (word) {
            case "true" -> Optional.of(List.of(option.longestName()));
            case "false" -> Optional.of(List.of());
            default -> refuse(field, "true or false for " + field.name(), word.isEmpty() ? "nothing" : word);
        };
    }

    private static String argument(OptionSpec option, String value) {
        return option.longestName() + "=" + value;
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
        UTF8String found = UTF8String.fromString(field.name());
        return names.sorted()
                .min(Comparator.comparing(name -> UTF8String.fromString(name).levenshteinDistance(found)))
                .map(". Did you mean %s?"::formatted)
                .orElse("");
    }

    private static String name(OptionSpec option) {
        return option.longestName().substring(DASHES.length());
    }
}

package org.sparkqlora.options;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/**
 * The options of a command as programs set them: values by name. Each option has one definition, so that name, type, default and
 * description are those of the command line, and values pass the same checks.
 */
public enum Settings {
    /** Those of {@code train}. */
    TRAIN(TrainOptions::new),
    /** Those of {@code generate} and {@code evaluate}, for a table of rows. */
    USE(UseOptions::new);

    private final Supplier<Object> fresh;
    private final List<Setting> all;

    Settings(Supplier<Object> fresh) {
        this.fresh = fresh;
        this.all = OptionParser.of(fresh.get()).getCommandSpec().options().stream()
                .filter(option -> !option.usageHelp() && !option.versionHelp())
                .map(Setting::of)
                .toList();
    }

    /** All of them, in the order of {@code --help}. */
    public List<Setting> all() {
        return all;
    }

    /** The names of those that help lists in {@code group}. */
    public Set<String> namesIn(OptionGroup group) {
        return all.stream()
                .filter(setting -> setting.group() == group)
                .map(Setting::name)
                .collect(Collectors.toSet());
    }

    /** The reason why {@code setting} cannot have {@code value}; empty if it can. */
    public Optional<String> problem(Setting setting, Object value) {
        ParseResult result =
                OptionParser.of(fresh.get()).parseArgs(setting.written(value).toArray(String[]::new));
        return result.errors().stream()
                .filter(error -> !(error instanceof MissingParameterException))
                .map(error -> String.valueOf(error.getMessage()))
                .findFirst();
    }

    /** The values as text, an option a line, in the order of {@code --help}: equal settings have equal texts. */
    public String text(Map<String, Object> values) {
        return String.join("\n", written(values).toList());
    }

    /**
     * Fills {@code options} of this command, whose rows come from a table, so that none need name them.
     *
     * @param check reports problems of values that could be read
     * @throws IllegalArgumentException that names all problems
     */
    <T> T fill(T options, Map<String, Object> values, BiConsumer<T, Problems> check) {
        CommandLine line = OptionParser.of(options);
        CommandSpec command = line.getCommandSpec();
        OptionSpec data = command.findOption("--data");
        command.remove(data);
        command.addOption(data.toBuilder().required(false).build());
        ParseResult parsed = line.parseArgs(written(values).toArray(String[]::new));
        Arguments.requireNoProblems(parsed, problems -> check.accept(options, problems));
        return options;
    }

    private Stream<String> written(Map<String, Object> values) {
        Set<String> unknown = new LinkedHashSet<>(values.keySet());
        all.forEach(setting -> unknown.remove(setting.name()));
        if (!unknown.isEmpty()) {
            throw new IllegalStateException("Cannot set %s: expected settings of %s".formatted(unknown, this));
        }

        return all.stream()
                .flatMap(setting -> Optional.ofNullable(values.get(setting.name())).stream()
                        .flatMap(value -> setting.written(value).stream()));
    }
}

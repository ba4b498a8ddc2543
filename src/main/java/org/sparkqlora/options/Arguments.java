package org.sparkqlora.options;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import picocli.CommandLine.ParseResult;

/** Arguments of a command line that a program gives. */
public final class Arguments {
    private Arguments() {}

    public static List<String> and(List<String> arguments, String... more) {
        List<String> all = new ArrayList<>(arguments);
        all.addAll(List.of(more));
        return all;
    }

    /**
     * Fills {@code options} from {@code arguments}.
     *
     * @param check reports what is wrong with values that could be read
     * @throws IllegalArgumentException that names all that is wrong
     */
    public static <T> T parse(T options, List<String> arguments, BiConsumer<T, Problems> check) {
        ParseResult parsed = OptionParser.of(options).parseArgs(arguments.toArray(String[]::new));
        requireNoProblems(parsed, problems -> check.accept(options, problems));
        return options;
    }

    /** Throws all that is wrong with a command line that was {@code parsed}, and all that {@code check} reports. */
    static void requireNoProblems(ParseResult parsed, Consumer<Problems> check) {
        Problems problems = new Problems();
        parsed.errors().stream()
                .map(error -> String.valueOf(error.getMessage()))
                .distinct()
                .forEach(problems::add);
        check.accept(problems);
        problems.requireNone();
    }
}

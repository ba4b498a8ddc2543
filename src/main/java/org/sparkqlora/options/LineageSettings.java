package org.sparkqlora.options;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.InputLimits;
import org.sparkqlora.options.OptionValue.Field;
import org.sparkqlora.options.OptionValue.Fields;
import org.sparkqlora.spark.cluster.Location;

/**
 * Settings of OpenLineage by their names with dots, such as {@code transport.url}. They come from the environment, {@code openlineage.yml} and
 * Spark's settings below {@code spark.openlineage.}; the later of these three counts.
 */
record LineageSettings(Map<String, String> values) {
    private static final String FILE = "openlineage.yml";
    private static final String NESTED = "OPENLINEAGE__";
    private static final Pattern WORD = Pattern.compile("_([a-z])");

    private static final Map<String, String> VARIABLES = Map.of(
            "OPENLINEAGE_URL", "transport.url",
            "OPENLINEAGE_ENDPOINT", "transport.endpoint",
            "OPENLINEAGE_API_KEY", "transport.auth.apiKey",
            "OPENLINEAGE_NAMESPACE", "namespace");

    LineageSettings {
        values = Map.copyOf(values);
    }

    /**
     * Reads all three.
     *
     * @param spark settings without the prefix {@code spark.openlineage.}
     */
    static LineageSettings of(Map<String, String> environment, Map<String, String> spark) {
        Map<String, String> values = new HashMap<>(ofEnvironment(environment).values());
        file(environment).ifPresent(file -> values.putAll(ofFile(file)));
        values.putAll(spark);
        return new LineageSettings(values);
    }

    /** What the environment alone sets. */
    static LineageSettings ofEnvironment(Map<String, String> environment) {
        Map<String, String> values = new HashMap<>();
        environment.forEach((name, value) -> {
            String known = name.startsWith(NESTED) ? nested(name) : VARIABLES.get(name);
            if (known != null) {
                values.put(known, value);
            }
        });
        return new LineageSettings(values);
    }

    /** The value; nothing where it is empty. */
    Optional<String> find(String name) {
        return Optional.ofNullable(values.get(name)).filter(value -> !value.isBlank());
    }

    /** The values below a name, by the rest of theirs. */
    Map<String, String> below(String prefix) {
        Map<String, String> found = new HashMap<>();
        values.forEach((name, value) -> {
            if (name.startsWith(prefix)) {
                found.put(name.substring(prefix.length()), value);
            }
        });
        return found;
    }

    /** {@code OPENLINEAGE__TRANSPORT__AUTH__API_KEY} as {@code transport.auth.apiKey}. */
    private static String nested(String variable) {
        String lower = variable.substring(NESTED.length()).toLowerCase(Locale.ROOT);
        UnaryOperator<String> camel =
                part -> WORD.matcher(part).replaceAll(letter -> letter.group(1).toUpperCase(Locale.ROOT));
        return String.join(
                ".", List.of(lower.split("__", -1)).stream().map(camel).toList());
    }

    private static Optional<Path> file(Map<String, String> environment) {
        String named = environment.get("OPENLINEAGE_CONFIG");
        if (named != null) {
            return Optional.of(Path.of(named));
        }

        Path home = Path.of(environment.getOrDefault("HOME", ""), ".openlineage", FILE);
        return List.of(Path.of(FILE), home).stream()
                .filter(Files::isRegularFile)
                .findFirst();
    }

    private static Map<String, String> ofFile(Path file) {
        String text = Location.of(file)
                .text(InputLimits.DEFAULT.optionsBytes())
                .orElseThrow(() -> new BadInputException(
                        "Cannot open %s, which OPENLINEAGE_CONFIG names: expected a file, found nothing"
                                .formatted(file)));
        Map<String, String> values = new HashMap<>();
        OptionsYaml.read(file.toString(), text).forEach(field -> add(null, field, values));
        return values;
    }

    private static void add(@Nullable String group, Field field, Map<String, String> values) {
        String name = group == null ? field.name() : group + "." + field.name();
        if (field.value() instanceof Fields nested) {
            nested.fields().forEach(inside -> add(name, inside, values));
        } else {
            values.put(name, String.join(",", field.value().texts()));
        }
    }
}

package org.sparkqlora.data;

import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.sparkqlora.input.BadInputException;

/**
 * Names that records have for our fields.
 *
 * @param names by the name of our field, such as {@code messages -> dialog}
 */
public record Columns(Map<String, String> names) implements Serializable {
    /** Records have the names that formats are described with. */
    public static final Columns OWN = new Columns(Map.of());

    private static final Set<String> FIELDS = Set.of(
            "messages",
            "conversations",
            "tools",
            TemplateVariables.FIELD,
            "prompt",
            "completion",
            "instruction",
            "input",
            "output",
            "system",
            "history",
            "text",
            "input_ids",
            "labels");

    /** Of prompts with answers that are preferred or not. */
    private static final Set<String> ANSWER_FIELDS = Set.of(
            "tools",
            TemplateVariables.FIELD,
            "prompt",
            "chosen",
            "rejected",
            "completion",
            "label",
            "margin",
            "prompt_ids",
            "chosen_ids",
            "rejected_ids",
            "completion_ids");

    private static final Set<String> LABELED_FIELDS =
            Stream.concat(FIELDS.stream(), Stream.of("label")).collect(Collectors.toUnmodifiableSet());

    public Columns {
        names = new TreeMap<>(names);
    }

    /** The name that records use for {@code field}. */
    public String of(String field) {
        return names.getOrDefault(field, field);
    }

    /** Whether any of our fields of such examples is called {@code column}. */
    public boolean has(String column, ExampleKind kind) {
        Set<String> fields = switch (kind) {
            case SUPERVISED -> FIELDS;
            case PREFERENCE, UNPAIRED, COMPARISON -> ANSWER_FIELDS;
            case LABELED -> LABELED_FIELDS;
        };
        return fields.stream().map(this::of).anyMatch(column::equals);
    }

    /** Reads {@code field=column} pairs. */
    public static Columns parse(List<String> pairs) {
        Map<String, String> names = new TreeMap<>();
        for (String pair : pairs) {
            int at = pair.indexOf('=');
            if (at < 1 || at == pair.length() - 1) {
                throw new BadInputException(
                        "Cannot map columns: expected field=column, such as messages=dialog, found '%s'"
                                .formatted(pair));
            }

            put(names, pair.substring(0, at).strip(), pair.substring(at + 1).strip());
        }

        return new Columns(names);
    }

    private static void put(Map<String, String> names, String field, String column) {
        if (!FIELDS.contains(field) && !ANSWER_FIELDS.contains(field)) {
            List<String> known = Stream.concat(FIELDS.stream(), ANSWER_FIELDS.stream())
                    .distinct()
                    .sorted()
                    .toList();
            throw new BadInputException(
                    "Cannot map column %s to '%s': expected one of %s".formatted(column, field, known));
        }

        if (names.put(field, column) != null) {
            throw new BadInputException("Cannot map two columns to '%s'".formatted(field));
        }
    }
}

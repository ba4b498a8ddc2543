package org.sparkqlora.ml;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.to_json;
import static org.apache.spark.sql.functions.when;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.sparkqlora.data.Columns;
import org.sparkqlora.data.ExampleKind;
import org.sparkqlora.data.Examples;
import org.sparkqlora.data.Labels;
import org.sparkqlora.data.RecordFormat;

/**
 * Which columns of a table are fields of training records, and what they are called there.
 *
 * @param columns by the names that records have for them
 * @param names what records call our fields
 * @param format of the records
 * @param examples what they hold
 */
record RecordFields(Map<String, String> columns, Columns names, RecordFormat format, Examples examples) {
    private static final String MESSAGES = "messages";
    private static final String PROMPT = "prompt";
    private static final String COMPLETION = "completion";
    private static final String TEXT = "text";
    private static final String LABEL = "label";

    /**
     * The fields that a record of each kind and format must have; a record of no certain format has those of the first that fits. Those of
     * answers are texts or messages in any format but tokens.
     */
    private static final Map<ExampleKind, Map<RecordFormat, List<String>>> NEEDED = Map.of(
            ExampleKind.SUPERVISED,
            neededByFormat(),
            ExampleKind.PREFERENCE,
            neededOfAnswers(List.of("chosen", "rejected"), List.of("prompt_ids", "chosen_ids", "rejected_ids")),
            ExampleKind.COMPARISON,
            neededOfAnswers(List.of("chosen", "rejected"), List.of("prompt_ids", "chosen_ids", "rejected_ids")),
            ExampleKind.UNPAIRED,
            neededOfAnswers(List.of(PROMPT, COMPLETION, LABEL), List.of("prompt_ids", "completion_ids", LABEL)));

    /** Of a table of {@code schema}, of which {@code inputCol}, if any, is what the format is named by. */
    static RecordFields of(
            StructType schema, Optional<String> inputCol, Columns names, RecordFormat format, Examples examples) {
        ExampleKind kind = examples.kind();
        Map<String, String> columns = new LinkedHashMap<>();
        Arrays.stream(schema.fieldNames())
                .filter(column -> names.has(column, kind) && !inputCol.equals(Optional.of(column)))
                .forEach(column -> columns.put(column, column));
        inputCol.filter(Arrays.asList(schema.fieldNames())::contains)
                .filter(column -> suits(schema.apply(column).dataType(), format))
                .ifPresent(column -> columns.put(
                        names.of(isOfAnswers(kind) ? PROMPT : mainField(schema, column, names, format)), column));
        return new RecordFields(columns, names, format, examples);
    }

    /** Whether the table has all that a record needs. */
    boolean areWhole() {
        return found().isPresent();
    }

    /** The format that records of these fields have; nothing where none fits. */
    Optional<RecordFormat> found() {
        return neededFields().entrySet().stream()
                .filter(entry -> isOpen(entry.getKey()))
                .filter(entry -> entry.getValue().stream().map(names::of).allMatch(columns::containsKey))
                .map(Map.Entry::getKey)
                .findFirst();
    }

    private Map<RecordFormat, List<String>> neededFields() {
        Labels labels = examples.labels();
        return labels == null ? Objects.requireNonNull(NEEDED.get(examples.kind())) : labeled(labels);
    }

    private boolean isOpen(RecordFormat found) {
        boolean ofAnswers = isOfAnswers(examples.kind()) && found == RecordFormat.AUTO && format != RecordFormat.TOKENS;
        return format == RecordFormat.AUTO || format == found || ofAnswers;
    }

    /** Each row as JSON. */
    Column json() {
        return to_json(struct(columns.entrySet().stream()
                .map(entry -> col(quoted(entry.getValue())).as(entry.getKey()))
                .toArray(Column[]::new)));
    }

    /** Each row as JSON; null where a column is that a record cannot lack. */
    Column jsonOfRecords() {
        return needed().values().stream()
                .map(column -> col(quoted(column)).isNotNull())
                .reduce(Column::and)
                .map(whole -> when(whole, json()))
                .orElseGet(this::json);
    }

    /** The fields that are expected, for people. */
    String expected() {
        if (examples.kind() != ExampleKind.SUPERVISED) {
            return neededFields().values().stream()
                    .map(fields -> String.join(" and ", fields))
                    .collect(Collectors.joining(", or "));
        }

        return format == RecordFormat.AUTO
                ? "messages, or conversations, or prompt and completion, or instruction and output, or input_ids and labels, or text"
                : String.join(
                        " and ",
                        neededFields().getOrDefault(format, List.of()).stream()
                                .map(names::of)
                                .toList());
    }

    static String quoted(String column) {
        return "`" + column.replace("`", "``") + "`";
    }

    /** The columns that a record cannot lack, by the names that records have for them. */
    Map<String, String> needed() {
        Map<String, String> needed = new LinkedHashMap<>();
        found().map(neededFields()::get).orElse(List.of()).stream()
                .map(names::of)
                .forEach(name -> needed.put(name, columns.get(name)));
        return needed;
    }

    /** The problems with the types of these columns in {@code schema}, a sentence each. */
    List<String> mistyped(StructType schema) {
        return found().map(neededFields()::get).orElse(List.of()).stream()
                .flatMap(field ->
                        mistyped(FieldType.of(field, examples.kind()), schema.apply(columns.get(names.of(field))))
                                .stream())
                .toList();
    }

    private static Optional<String> mistyped(FieldType expected, StructField column) {
        return expected.accepts(column.dataType())
                ? Optional.empty()
                : Optional.of("column %s: expected %s, found %s"
                        .formatted(
                                column.name(),
                                expected.words(),
                                column.dataType().simpleString()));
    }

    private static boolean isOfAnswers(ExampleKind kind) {
        return kind != ExampleKind.SUPERVISED && kind != ExampleKind.LABELED;
    }

    /** A text alone is no conversation to train on, though it can be answered. */
    private static boolean suits(DataType type, RecordFormat format) {
        boolean list = format == RecordFormat.MESSAGES || format == RecordFormat.SHAREGPT;
        return !list || !(type instanceof StringType);
    }

    private static String mainField(StructType schema, String column, Columns names, RecordFormat format) {
        if (format != RecordFormat.AUTO) {
            return neededByFormat().getOrDefault(format, List.of(MESSAGES)).get(0);
        }

        if (schema.apply(column).dataType() instanceof ArrayType) {
            return MESSAGES;
        }

        boolean completed = Arrays.asList(schema.fieldNames()).contains(names.of(COMPLETION));
        return completed ? PROMPT : TEXT;
    }

    private static Map<RecordFormat, List<String>> neededOfAnswers(List<String> texts, List<String> ids) {
        Map<RecordFormat, List<String>> needed = new LinkedHashMap<>();
        needed.put(RecordFormat.AUTO, texts);
        needed.put(RecordFormat.TOKENS, ids);
        return needed;
    }

    /** As of supervised examples, with a label. */
    private static Map<RecordFormat, List<String>> labeled(Labels labels) {
        String label = labels.areList() ? "labels" : LABEL;
        Map<RecordFormat, List<String>> needed = neededByFormat();
        needed.put(RecordFormat.TOKENS, List.of("input_ids"));
        needed.replaceAll((format, fields) ->
                Stream.concat(fields.stream(), Stream.of(label)).toList());
        return needed;
    }

    private static Map<RecordFormat, List<String>> neededByFormat() {
        Map<RecordFormat, List<String>> needed = new LinkedHashMap<>();
        needed.put(RecordFormat.MESSAGES, List.of(MESSAGES));
        needed.put(RecordFormat.SHAREGPT, List.of("conversations"));
        needed.put(RecordFormat.PROMPT_COMPLETION, List.of(PROMPT, COMPLETION));
        needed.put(RecordFormat.ALPACA, List.of("instruction", "output"));
        needed.put(RecordFormat.TOKENS, List.of("input_ids", "labels"));
        needed.put(RecordFormat.TEXT, List.of(TEXT));
        return needed;
    }
}

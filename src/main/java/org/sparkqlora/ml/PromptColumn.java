package org.sparkqlora.ml;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.to_json;
import static org.apache.spark.sql.functions.when;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructType;
import org.sparkqlora.data.Columns;
import org.sparkqlora.data.RecordFormat;
import org.sparkqlora.spark.job.AnswerText.Asked;

/**
 * The columns of a table that hold its prompts and the names of the adapters that answer.
 *
 * @param adapter of names, null for none
 * @param column of text, for an {@link org.sparkqlora.spark.job.AnswerText}
 * @param asked what its text is
 */
record PromptColumn(Column adapter, Column column, Asked asked) {
    /** Where no row names an adapter. */
    static final Column NO_ADAPTER = lit(null).cast(DataTypes.StringType);

    private static final String MESSAGES = "messages";
    private static final String PROMPT = "prompt";
    private static final String TOOLS = "tools";
    private static final List<String> TURN = List.of("role", "content");

    /** In {@code inputCol}, or else in a column of messages or of prompts; nothing where there is none. */
    static Optional<PromptColumn> of(StructType schema, Optional<String> inputCol, Columns names, RecordFormat format) {
        List<String> columns = Arrays.asList(schema.fieldNames());
        return inputCol.map(Stream::of)
                .orElseGet(() -> Stream.of(names.of(MESSAGES), names.of(PROMPT)))
                .filter(columns::contains)
                .findFirst()
                .flatMap(name ->
                        of(schema, name, names, inputCol.isPresent() ? format : RecordFormat.PROMPT_COMPLETION));
    }

    private static Optional<PromptColumn> of(StructType schema, String name, Columns names, RecordFormat format) {
        DataType type = schema.apply(name).dataType();
        Column column = col(RecordFields.quoted(name));
        if (type instanceof StringType) {
            boolean continued = format == RecordFormat.PROMPT_COMPLETION || format == RecordFormat.TEXT;
            return Optional.of(new PromptColumn(NO_ADAPTER, column, continued ? Asked.BEGINNING : Asked.QUESTION));
        }

        return isTurns(type)
                ? Optional.of(new PromptColumn(
                        NO_ADAPTER, when(column.isNotNull(), record(schema, column, names)), Asked.RECORD))
                : Optional.empty();
    }

    /** These prompts, whose rows name adapters in {@code names}. */
    PromptColumn by(Column names) {
        return new PromptColumn(names, column, asked);
    }

    private static Column record(StructType schema, Column messages, Columns names) {
        String tools = names.of(TOOLS);
        return Arrays.asList(schema.fieldNames()).contains(tools)
                ? to_json(struct(
                        messages.as(MESSAGES), col(RecordFields.quoted(tools)).as(TOOLS)))
                : to_json(struct(messages.as(MESSAGES)));
    }

    private static boolean isTurns(DataType type) {
        return type instanceof ArrayType list
                && list.elementType() instanceof StructType turn
                && Arrays.asList(turn.fieldNames()).containsAll(TURN);
    }
}

package org.sparkqlora.ml;

import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.BooleanType;
import org.apache.spark.sql.types.ByteType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.IntegerType;
import org.apache.spark.sql.types.LongType;
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.types.NumericType;
import org.apache.spark.sql.types.ShortType;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructType;
import org.sparkqlora.data.ExampleKind;

/** The types of a table's columns that can hold a field of training records. A list may also be a text that is one in JSON. */
enum FieldType {
    /** A text. */
    TEXT("texts (string)"),
    /** Turns of a conversation. */
    MESSAGES("lists of messages (array of struct)"),
    /** A text, or turns of a conversation. */
    TEXT_OR_MESSAGES("texts (string) or lists of messages (array of struct)"),
    /** Ids of tokens. */
    INTEGERS("lists of integers (array of int)"),
    /** Whether an answer is desirable. */
    LABEL("true or false (boolean)"),
    /** A class or a number. */
    CLASS("names (string) or numbers"),
    /** Several of them. */
    CLASSES("lists of names or numbers (array)");

    private final String words;

    FieldType(String words) {
        this.words = words;
    }

    /** The type of our field called {@code name}. */
    static FieldType of(String name, ExampleKind kind) {
        if (kind == ExampleKind.LABELED && name.equals("label")) {
            return CLASS;
        }

        if (kind == ExampleKind.LABELED && name.equals("labels")) {
            return CLASSES;
        }

        return switch (name) {
            case "messages", "conversations" -> MESSAGES;
            case "prompt", "completion", "chosen", "rejected" -> TEXT_OR_MESSAGES;
            case "input_ids", "labels", "prompt_ids", "chosen_ids", "rejected_ids", "completion_ids" -> INTEGERS;
            case "label" -> LABEL;
            default -> TEXT;
        };
    }

    /** For people. */
    String words() {
        return words;
    }

    boolean accepts(DataType type) {
        if (this == LABEL) {
            return type instanceof BooleanType || type instanceof IntegerType || type instanceof LongType;
        }

        if (this == CLASS) {
            return type instanceof StringType || type instanceof BooleanType || type instanceof NumericType;
        }

        if (this == CLASSES) {
            return type instanceof ArrayType;
        }

        if (type instanceof StringType) {
            return true;
        }

        return type instanceof ArrayType list && acceptsListOf(list.elementType());
    }

    private boolean acceptsListOf(DataType element) {
        return switch (this) {
            case TEXT, LABEL, CLASS, CLASSES -> false;
            case MESSAGES, TEXT_OR_MESSAGES -> element instanceof StructType || element instanceof MapType;
            case INTEGERS ->
                element instanceof IntegerType
                        || element instanceof LongType
                        || element instanceof ShortType
                        || element instanceof ByteType;
        };
    }
}

package org.sparkqlora.spark.prepare;

import java.io.Serializable;
import org.sparkqlora.data.ExampleKind;
import org.sparkqlora.data.Examples;
import org.sparkqlora.data.HeldOutSplit;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.InputLimits;
import org.sparkqlora.tokenizer.packing.RowLayout;

/**
 * The options that decide how rows are made of examples.
 *
 * @param width tokens of a document at most, and of a row where it holds no pairs
 * @param packing whether documents share rows
 * @param onBadRecord treatment of a line that is not a valid record
 * @param part which part of the data
 * @param recordBytes the most that is read of a record
 * @param examples what they hold
 */
public record PreparationOptions(
        int width, Packing packing, OnBadRecord onBadRecord, HeldOutSplit part, int recordBytes, Examples examples)
        implements Serializable {
    private static final int SHORTEST = 2;

    /** For all of the data. */
    public PreparationOptions(int width, Packing packing, OnBadRecord onBadRecord) {
        this(width, packing, onBadRecord, HeldOutSplit.ALL, InputLimits.DEFAULT.recordBytes(), Examples.SUPERVISED);
    }

    public PreparationOptions {
        if (width < SHORTEST) {
            throw new BadInputException(
                    "Cannot prepare rows of %d tokens: expected at least %d".formatted(width, SHORTEST));
        }
    }

    /** These options for a split of the data. */
    public PreparationOptions of(HeldOutSplit other) {
        return new PreparationOptions(width, packing, onBadRecord, other, recordBytes, examples);
    }

    /** These options with records of up to {@code bytes}. */
    public PreparationOptions ofRecordsUpTo(int bytes) {
        return new PreparationOptions(width, packing, onBadRecord, part, bytes, examples);
    }

    /** These options for other examples. */
    public PreparationOptions of(Examples other) {
        return new PreparationOptions(width, packing, onBadRecord, part, recordBytes, other);
    }

    public ExampleKind kind() {
        return examples.kind();
    }

    /** The rows: one has room for the documents of any example. */
    RowLayout layout() {
        return new RowLayout(width * kind().documents(), examples.valuesOfDocument());
    }

    /** Part of the fingerprint of rows. A limit that an option raised or lowered may leave other records. */
    String fingerprint() {
        String limit = recordBytes == InputLimits.DEFAULT.recordBytes() ? "" : " of records up to " + recordBytes;
        return "PreparationOptions[width=" + width + ", packing=" + packing + ", onBadRecord=" + onBadRecord + ", part="
                + part + "]" + limit + examples.fingerprint();
    }

    /** Whether documents share rows. */
    public enum Packing {
        PACKED,
        ONE_A_ROW
    }

    /** The treatment of a line that is not a valid record. */
    public enum OnBadRecord {
        FAIL,
        SKIP;

        /** The choice that a command line calls {@code name}. */
        public static OnBadRecord parse(String name) {
            return switch (name) {
                case "fail" -> FAIL;
                case "skip" -> SKIP;
                default ->
                    throw new BadInputException(
                            "Unsupported choice '%s' for bad records: expected fail or skip".formatted(name));
            };
        }
    }
}

package org.sparkqlora.spark;

import java.io.Serializable;
import org.sparkqlora.input.BadInputException;

/**
 * How rows are made of examples.
 *
 * @param width tokens a row
 * @param packing whether documents share rows
 * @param onBadRecord what becomes of a line that is no record
 * @param part which part of the data
 */
public record PreparationOptions(int width, Packing packing, OnBadRecord onBadRecord, Part part)
        implements Serializable {
    private static final int SHORTEST = 2;

    /** For all of the data. */
    public PreparationOptions(int width, Packing packing, OnBadRecord onBadRecord) {
        this(width, packing, onBadRecord, Part.ALL);
    }

    public PreparationOptions {
        if (width < SHORTEST) {
            throw new BadInputException(
                    "Cannot prepare rows of %d tokens: expected at least %d".formatted(width, SHORTEST));
        }
    }

    /** The same for a part of the data. */
    public PreparationOptions of(Part other) {
        return new PreparationOptions(width, packing, onBadRecord, other);
    }

    /** Whether documents share rows. */
    public enum Packing {
        PACKED,
        ONE_A_ROW
    }

    /** What becomes of a line that is no record. */
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

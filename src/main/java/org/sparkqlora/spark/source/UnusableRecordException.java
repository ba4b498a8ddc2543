package org.sparkqlora.spark.source;

import java.util.Locale;
import org.sparkqlora.input.BadInputException;

/** A record of a data file that cannot be prepared, with its place. */
public final class UnusableRecordException extends BadInputException {
    private static final long serialVersionUID = 1L;

    private final BadLine place;

    public UnusableRecordException(BadLine place) {
        super(String.format(Locale.ROOT, "Cannot prepare %s:%d: %s", place.path(), place.line(), place.problem()));
        this.place = place;
    }

    /** The file. */
    public String path() {
        return place.path();
    }

    /** The record's line in the file, from 1. */
    public long line() {
        return place.line();
    }

    /** The problem: expected and found. */
    public String problem() {
        return place.problem();
    }
}

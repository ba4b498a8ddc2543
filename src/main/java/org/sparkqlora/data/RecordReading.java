package org.sparkqlora.data;

import java.io.Serializable;

/**
 * Options for reading records.
 *
 * @param format of their fields
 * @param columns what their fields are called
 */
public record RecordReading(RecordFormat format, Columns columns) implements Serializable {
    /** By the fields that each record has. */
    public static final RecordReading AUTO = of(RecordFormat.AUTO);

    /** With fields that have our names. */
    public static RecordReading of(RecordFormat format) {
        return new RecordReading(format, Columns.OWN);
    }

    /** The example in a JSON object. */
    public Example read(String line) {
        return ExampleJson.read(line, this);
    }
}

package org.sparkqlora.data;

import java.io.Serializable;

/**
 * Options for reading records.
 *
 * @param format of their fields
 * @param columns what their fields are called
 * @param examples what they hold
 */
public record RecordReading(RecordFormat format, Columns columns, Examples examples) implements Serializable {
    /** By the fields that each record has. */
    public static final RecordReading AUTO = of(RecordFormat.AUTO);

    /** Of supervised examples. */
    public RecordReading(RecordFormat format, Columns columns) {
        this(format, columns, Examples.SUPERVISED);
    }

    public ExampleKind kind() {
        return examples.kind();
    }

    /** With fields that have our names. */
    public static RecordReading of(RecordFormat format) {
        return new RecordReading(format, Columns.OWN);
    }

    /** The example in a JSON object. */
    public Example read(String line) {
        return ExampleJson.read(line, this);
    }

    /** Part of the fingerprint of rows. */
    @Override
    public String toString() {
        return "RecordReading[format=" + format + ", columns=" + columns + "]" + examples.fingerprint();
    }
}

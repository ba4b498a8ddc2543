package org.sparkqlora.spark.source;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.ExampleJson;

/** Lines of text as records of a text. */
record TextLines(RecordLines lines) implements RecordLines {
    @Override
    public @Nullable String next() throws IOException {
        String line = lines.next();
        return line == null || line.isBlank() ? line : ExampleJson.ofText(line);
    }

    @Override
    public boolean skip() throws IOException {
        return lines.skip();
    }

    @Override
    public void close() throws IOException {
        lines.close();
    }
}

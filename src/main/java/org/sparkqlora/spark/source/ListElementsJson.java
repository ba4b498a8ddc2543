package org.sparkqlora.spark.source;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringWriter;
import java.io.Writer;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.BrokenJson;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.InputLimits;

/**
 * The elements of a file that is one JSON list, read one after the other.
 *
 * @param mostBytes of an element
 */
record ListElementsJson(SourceFile file, JsonFactory factory, JsonParser parser, int mostBytes) implements RecordLines {
    private static final int BYTE_ORDER_MARK = 0xEF;

    /** An element nested deeper than a record may be is still passed over, to reach the next. */
    private static final int DEEPEST = 100_000;

    private static final int DEEPEST_KEPT = InputLimits.DEFAULT.recordDepth() + 1;

    static ListElementsJson open(SourceFile file, int mostBytes, Configuration configuration) throws IOException {
        JsonFactory factory = JsonFactory.builder()
                .streamReadConstraints(StreamReadConstraints.builder()
                        .maxNestingDepth(DEEPEST)
                        .maxStringLength(mostBytes)
                        .build())
                .build();
        JsonParser parser = factory.createParser(stream(new Path(file.path()), configuration));
        ListElementsJson elements = new ListElementsJson(file, factory, parser, mostBytes);
        elements.skipNone();
        return elements;
    }

    /** Whether the first character of a file begins a list. */
    static boolean beginsList(Path path, Configuration configuration) throws IOException {
        try (InputStream in = stream(path, configuration)) {
            int first = in.read();
            while (Character.isWhitespace(first)) {
                first = in.read();
            }

            return first == '[' || first == BYTE_ORDER_MARK && in.skip(2) == 2 && in.read() == '[';
        }
    }

    @Override
    public @Nullable String next() throws IOException {
        try {
            return advance() ? element() : null;
        } catch (JsonProcessingException e) {
            throw broken(e);
        }
    }

    @Override
    public boolean skip() throws IOException {
        try {
            boolean found = advance();
            parser.skipChildren();
            return found;
        } catch (JsonProcessingException e) {
            throw broken(e);
        }
    }

    @Override
    public void close() throws IOException {
        parser.close();
    }

    /** To the start of the list. */
    private void skipNone() throws IOException {
        try {
            advance();
        } catch (JsonProcessingException e) {
            throw broken(e);
        }
    }

    private boolean advance() throws IOException {
        JsonToken token = parser.nextToken();
        return token != null && token != JsonToken.END_ARRAY;
    }

    private String element() throws IOException {
        BoundedWriter writer = new BoundedWriter(mostBytes);
        try (JsonGenerator generator = factory.createGenerator(writer)) {
            copy(generator);
        }

        return writer.text();
    }

    /** Leaves out what is nested deeper than a record may be, which what is left still tells. */
    private void copy(JsonGenerator generator) throws IOException {
        int depth = 0;
        do {
            generator.copyCurrentEvent(parser);
            if (parser.currentToken().isStructStart()) {
                depth++;
            }

            if (depth > DEEPEST_KEPT) {
                parser.skipChildren();
                generator.copyCurrentEvent(parser);
            }

            if (parser.currentToken().isStructEnd()) {
                depth--;
            }
        } while (depth > 0 && parser.nextToken() != null);
    }

    /** Invalid JSON ends the whole list, so it is not the problem of one record. */
    private BadInputException broken(JsonProcessingException fault) {
        return new BadInputException(
                "Cannot read %s: expected a JSON list, found an error%s".formatted(file.path(), BrokenJson.text(fault)),
                fault);
    }

    private static InputStream stream(Path path, Configuration configuration) throws IOException {
        return Decompression.open(path.toString(), configuration);
    }

    /** Keeps the beginning of a text, and knows whether there was more. */
    private static final class BoundedWriter extends Writer {
        private final StringWriter kept = new StringWriter();
        private final int most;
        private long length;

        private BoundedWriter(int most) {
            this.most = most;
        }

        @Override
        public void write(char[] characters, int from, int count) {
            length += count;
            if (length <= most) {
                kept.write(characters, from, count);
            }
        }

        private String text() {
            if (length > most) {
                throw RecordLines.tooLong(most);
            }

            return kept.toString();
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    }
}

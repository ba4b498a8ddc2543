package org.sparkqlora.spark;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.compress.CompressionCodec;
import org.apache.hadoop.io.compress.CompressionCodecFactory;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.BrokenJson;
import org.sparkqlora.input.BadInputException;

/** The elements of a file that is one JSON list, read one after the other. */
final class ListElementsJson implements RecordLines {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final int BYTE_ORDER_MARK = 0xEF;

    private final SourceFile file;
    private final JsonParser parser;

    private ListElementsJson(SourceFile file, JsonParser parser) {
        this.file = file;
        this.parser = parser;
    }

    static ListElementsJson open(SourceFile file, Configuration configuration) throws IOException {
        JsonParser parser = new JsonFactory().createParser(stream(new Path(file.path()), configuration));
        ListElementsJson elements = new ListElementsJson(file, parser);
        elements.advance();
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
        return advance() ? MAPPER.readTree(parser).toString() : null;
    }

    @Override
    public boolean skip() throws IOException {
        if (!advance()) {
            return false;
        }

        parser.skipChildren();
        return true;
    }

    @Override
    public void close() throws IOException {
        parser.close();
    }

    /** To the next element. What is no JSON ends the list for good, so it is no matter of one record. */
    private boolean advance() throws IOException {
        try {
            JsonToken token = parser.nextToken();
            return token != null && token != JsonToken.END_ARRAY;
        } catch (JsonProcessingException e) {
            throw new BadInputException(
                    "Cannot read %s: expected a JSON list, found an error%s".formatted(file.path(), BrokenJson.text(e)),
                    e);
        }
    }

    private static InputStream stream(Path path, Configuration configuration) throws IOException {
        InputStream raw = path.getFileSystem(configuration).open(path);
        CompressionCodec codec = new CompressionCodecFactory(configuration).getCodec(path);
        return codec == null ? raw : codec.createInputStream(raw);
    }
}

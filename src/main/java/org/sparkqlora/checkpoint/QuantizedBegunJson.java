package org.sparkqlora.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.sparkqlora.input.BoundedText;
import org.sparkqlora.input.InputLimits;

/** The mark of a {@link QuantizedFolder} that is not finished. */
final class QuantizedBegunJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String PLAN = "plan";

    private QuantizedBegunJson() {}

    static String write(String id) {
        return MAPPER.createObjectNode().put(PLAN, id) + "\n";
    }

    /** The id of the folder; another text if the file is not ours. */
    static String read(FileSystem files, Path file) throws IOException {
        try (InputStream in = files.open(file)) {
            String text = BoundedText.read(in, InputLimits.DEFAULT.documentBytes(), file);
            return MAPPER.readTree(text).path(PLAN).asText();
        } catch (JsonProcessingException e) {
            return "";
        }
    }
}

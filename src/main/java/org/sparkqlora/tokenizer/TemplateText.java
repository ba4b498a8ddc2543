package org.sparkqlora.tokenizer;

import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import org.sparkqlora.input.BoundedText;
import org.sparkqlora.input.InputLimits;

/**
 * A chat template that a user gives, as a value that crosses to executors, which need not have its file.
 *
 * @param text its Jinja source
 * @param origin the file that it was read from, for messages
 */
public record TemplateText(String text, String origin) implements Serializable {
    public static TemplateText read(Path file) {
        try {
            return new TemplateText(BoundedText.read(file, InputLimits.DEFAULT.configBytes()), file.toString());
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read the chat template " + file, e);
        }
    }
}

package org.sparkqlora.run;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import org.sparkqlora.storage.LocalFiles;

/** A file of lines that appears whole or not at all. */
public record AnswerFile(Path path) {
    public void write(List<String> lines) {
        try {
            LocalFiles.create(path, lines);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to write " + path, e);
        }
    }
}

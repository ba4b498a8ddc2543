package org.sparkqlora.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import org.sparkqlora.storage.LocalFiles;

/** A file of lines that appears whole or not at all. */
record AnswerFile(Path path) {
    void write(List<String> lines) {
        try {
            LocalFiles.create(path, lines);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to write " + path, e);
        }
    }
}

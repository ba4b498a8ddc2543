package org.sparkqlora.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/** A file of lines that appears whole or not at all. */
record AnswerFile(Path path) {
    void write(List<String> lines) {
        Path whole = path.toAbsolutePath().normalize();
        Path part = whole.resolveSibling("." + whole.getFileName() + ".part");
        try {
            Files.createDirectories(whole.getParent());
            Files.write(part, lines);
            Files.move(part, whole, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to write " + path, e);
        }
    }
}

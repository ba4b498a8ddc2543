package org.sparkqlora.spark.lineage;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.sparkqlora.input.BadInputException;

/** A file on this host that gets a line for each event, as OpenLineage's own file transport writes it. */
public record FileLineage(Path file) implements LineageSink {
    @Override
    public void send(String event) throws IOException {
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            Files.write(
                    file,
                    (event + "\n").getBytes(StandardCharsets.UTF_8),
                    StandardOpenOption.CREATE,
                    StandardOpenOption.APPEND); // in one call, so that two runs do not mix their lines
        } catch (AccessDeniedException e) {
            throw new BadInputException(
                    "Cannot write lineage to %s: expected a file that this user may write, found one that is not"
                            .formatted(file),
                    e);
        }
    }

    @Override
    public String toString() {
        return file.toString();
    }
}

package org.sparkqlora.spark.lineage;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.sparkqlora.input.BadInputException;

/** A file on this host that gets a line for each event, as OpenLineage's own file transport writes it. */
public record FileLineage(Path file) implements LineageSink {
    /** A field that each event has, near its beginning. */
    private static final String TIME = "\"eventTime\"";

    private static final int BEGINNING = 4096;

    /** Whether the file is not there, is empty, or begins with an event, whoever wrote it. */
    public boolean isOwn() {
        if (!Files.exists(file)) {
            return true;
        }

        if (Files.isDirectory(file)) {
            return false;
        }

        if (!Files.isRegularFile(file)) {
            return true; // a pipe or a device, which events go to and from which none is read
        }

        try (InputStream in = Files.newInputStream(file)) {
            String beginning = new String(in.readNBytes(BEGINNING), StandardCharsets.UTF_8);
            return beginning.isEmpty() || beginning.startsWith("{") && beginning.contains(TIME);
        } catch (AccessDeniedException e) {
            return true; // sending tells
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + file, e);
        }
    }

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

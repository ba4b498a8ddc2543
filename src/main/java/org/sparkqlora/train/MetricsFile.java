package org.sparkqlora.train;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/** {@code metrics.jsonl} on a local disk. */
public final class MetricsFile implements MetricsLog {
    private final Path file;

    public MetricsFile(Path file) {
        this.file = file;
    }

    @Override
    public void rewindTo(long step) {
        if (!Files.exists(file)) {
            return;
        }

        try {
            List<String> kept = Files.readAllLines(file).stream()
                    .takeWhile(line -> isUpTo(step, line))
                    .toList();
            Path replacement = file.resolveSibling(file.getFileName() + ".tmp");
            Files.write(replacement, kept);
            Files.move(replacement, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to rewind " + file, e);
        }
    }

    @Override
    public void append(StepMetrics step, OptionalDouble evaluationLoss) {
        try {
            Files.writeString(
                    file,
                    MetricsJson.write(step, evaluationLoss) + "\n",
                    StandardOpenOption.CREATE,
                    StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to append to " + file, e);
        }
    }

    private static boolean isUpTo(long step, String line) {
        OptionalLong found = MetricsJson.readStep(line);
        return found.isPresent() && found.getAsLong() <= step;
    }
}

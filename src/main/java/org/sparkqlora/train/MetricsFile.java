package org.sparkqlora.train;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * {@code metrics.jsonl} on a local disk, a line as soon as its step is done. Rewinding makes a new file: a driver that was given
 * up but still runs goes on writing to the old one, which no longer has a name.
 */
public final class MetricsFile implements MetricsLog {
    private final Path file;
    private @Nullable FileChannel channel;
    private List<Evaluated> evaluations = List.of();

    public MetricsFile(Path file) {
        this.file = file;
    }

    /** The lines of a log of which a process may have died in the last one, as far as {@code step}. */
    public static List<String> linesUpTo(long step, Stream<String> lines) {
        return lines.takeWhile(line -> isUpTo(step, line)).toList();
    }

    @Override
    public void rewindTo(long step) {
        try {
            List<String> kept = Files.exists(file) ? linesUpTo(step, Files.readAllLines(file).stream()) : List.of();
            evaluations = MetricsJson.evaluations(kept);
            Path replacement = file.resolveSibling(file.getFileName() + ".tmp");
            Files.write(replacement, kept);
            Files.move(replacement, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
            close();
            channel = FileChannel.open(file, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to rewind " + file, e);
        }
    }

    @Override
    public List<Evaluated> evaluations() {
        return evaluations;
    }

    @Override
    public void append(StepMetrics step, OptionalDouble evaluationLoss) {
        String line = MetricsJson.write(step, evaluationLoss) + "\n";
        try {
            ByteBuffer bytes = ByteBuffer.wrap(line.getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                opened().write(bytes);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to append to " + file, e);
        }
    }

    @Override
    public void flush() {
        try {
            opened().force(false);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to write " + file, e);
        }
    }

    @Override
    public void close() {
        if (channel == null) {
            return;
        }

        try {
            channel.close();
            channel = null;
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to close " + file, e);
        }
    }

    private FileChannel opened() {
        if (channel == null) {
            throw new IllegalStateException("Cannot write to %s: expected it to be rewound first".formatted(file));
        }

        return channel;
    }

    private static boolean isUpTo(long step, String line) {
        OptionalLong found = MetricsJson.readStep(line);
        return found.isPresent() && found.getAsLong() <= step;
    }
}

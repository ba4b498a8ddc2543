package org.sparkqlora.train.metrics;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.storage.LocalFiles;

/**
 * {@code metrics.jsonl} on a local disk, a line as soon as its step is done. Rewinding makes a new file: a driver that was given
 * up but still runs goes on writing to the old one, which no longer has a name. A channel would close itself where the thread that trains is
 * interrupted, as servers do that cancel.
 */
public final class MetricsFile implements MetricsLog {
    private final Path file;
    private final Consumer<String> warnings;
    private @Nullable FileOutputStream out;
    private List<Evaluated> evaluations = List.of();
    private long last;

    /** @param warnings is told of lines that are damaged */
    public MetricsFile(Path file, Consumer<String> warnings) {
        this.file = file;
        this.warnings = warnings;
    }

    @Override
    public void rewindTo(long step) {
        try {
            LogLines lines = LogLines.upTo(step, Files.exists(file) ? read() : List.of());
            lines.warnings(file.toString()).forEach(warnings);
            evaluations = MetricsJson.evaluations(lines.kept());
            last = MetricsJson.lastStep(lines.kept());
            LocalFiles.replace(file, lines.kept());
            close();
            out = new FileOutputStream(file.toFile(), true);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to rewind " + file, e);
        }
    }

    @Override
    public List<Evaluated> evaluations() {
        return evaluations;
    }

    @Override
    public long last() {
        return last;
    }

    @Override
    public void append(StepMetrics step, OptionalDouble evaluationLoss) {
        String line = MetricsJson.write(step, evaluationLoss) + "\n";
        try {
            opened().write(line.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to append to " + file, e);
        }
    }

    @Override
    public void flush() {
        try {
            opened().getFD().sync();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to write " + file, e);
        }
    }

    @Override
    public void close() {
        if (out == null) {
            return;
        }

        try {
            out.close();
            out = null;
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to close " + file, e);
        }
    }

    private FileOutputStream opened() {
        if (out == null) {
            throw new IllegalStateException("Cannot write to %s: expected it to be rewound first".formatted(file));
        }

        return out;
    }

    /** Decodes any bytes, since a damaged line may hold any. */
    private List<String> read() throws IOException {
        return new String(Files.readAllBytes(file), StandardCharsets.UTF_8)
                .lines()
                .toList();
    }
}

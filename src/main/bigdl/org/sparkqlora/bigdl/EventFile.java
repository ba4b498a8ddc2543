package org.sparkqlora.bigdl;

import com.intel.analytics.bigdl.dllib.visualization.Summary;
import com.intel.analytics.bigdl.dllib.visualization.TrainSummary;
import com.intel.analytics.bigdl.dllib.visualization.ValidationSummary;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.stream.Stream;

/** An event file of BigDL's, which names files by the second, and writes them in the background without an end to wait for. */
final class EventFile implements AutoCloseable {
    private static final String NAME = "bigdl.tfevents.";
    private static final long POLL_MILLIS = 10;
    private static final long LONGEST_MILLIS = 60_000;

    private final Summary summary;
    private final WrittenRecords written;
    private long records = 1; // the file begins with one that tells the time

    private EventFile(Summary summary, Path file) {
        this.summary = summary;
        this.written = new WrittenRecords(file);
    }

    /** In {@code folder/run/train}. */
    static EventFile train(Path folder, String run) {
        return open(folder, run, "train", TrainSummary::new);
    }

    /** In {@code folder/run/validation}. */
    static EventFile validation(Path folder, String run) {
        return open(folder, run, "validation", ValidationSummary::new);
    }

    void add(String tag, double value, long step) {
        summary.addScalar(tag, (float) value, step);
        records++;
    }

    @Override
    public void close() {
        summary.close();
        for (long waited = 0; written.count() < records; waited += POLL_MILLIS) {
            if (waited > LONGEST_MILLIS) {
                throw new IllegalStateException("Failed to write %s: expected %d events, found %d"
                        .formatted(written.file(), records, written.count()));
            }

            pause();
        }
    }

    private static EventFile open(Path folder, String run, String part, BiFunction<String, String, Summary> make) {
        BigDlEngine.startForWriting();
        Path parts = folder.toAbsolutePath().resolve(run).resolve(part);
        long last = newest(parts).map(EventFile::second).orElse(0L);
        while (System.currentTimeMillis() / 1000 <= last) {
            pause(); // else it would overwrite that file
        }

        Summary summary = make.apply(folder.toAbsolutePath().toString(), run);
        return new EventFile(summary, newest(parts).orElseThrow());
    }

    private static Optional<Path> newest(Path folder) {
        if (!Files.isDirectory(folder)) {
            return Optional.empty();
        }

        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.getFileName().toString().startsWith(NAME))
                    .max(Comparator.comparingLong(EventFile::second));
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to list " + folder, e);
        }
    }

    private static long second(Path file) {
        String rest = file.getFileName().toString().substring(NAME.length());
        return Long.parseLong(rest.substring(0, rest.indexOf('.')));
    }

    private static void pause() {
        try {
            Thread.sleep(POLL_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("Cannot write event files: interrupted", e);
        }
    }
}

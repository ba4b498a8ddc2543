package org.sparkqlora.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The largest resident memory that this process ever had, as Linux tells it. */
final class PeakMemory {
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final String PEAK = "VmHWM:";
    private static final long KIBIBYTE = 1024;

    private PeakMemory() {}

    /** Whether this system tells a process its peak. */
    static boolean supported() {
        return Files.isReadable(STATUS);
    }

    static long bytes() {
        try {
            return Files.readAllLines(STATUS).stream()
                    .filter(line -> line.startsWith(PEAK))
                    .map(line -> line.substring(PEAK.length()).replace("kB", "").strip())
                    .mapToLong(text -> Long.parseLong(text) * KIBIBYTE)
                    .findFirst()
                    .orElseThrow(() -> new IllegalStateException("Cannot find %s in %s".formatted(PEAK, STATUS)));
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + STATUS, e);
        }
    }
}

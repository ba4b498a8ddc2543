package org.sparkqlora.train.metrics;

import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Resident memory of a process, pages of mapped files included.
 *
 * @param residentBytes now
 * @param peakBytes the most it ever held
 */
public record ProcessMemory(long residentBytes, long peakBytes) implements Serializable {
    /** Of a system that does not tell. */
    public static final ProcessMemory UNKNOWN = new ProcessMemory(0, 0);

    private static final Path STATUS = Path.of("/proc/self/status");
    private static final long KIBIBYTE = 1024;

    /** Whether this system tells a process its memory: Linux does. */
    public static boolean isTold() {
        return Files.isReadable(STATUS);
    }

    /** Of this process. */
    public static ProcessMemory ofThisProcess() {
        if (!isTold()) {
            return UNKNOWN;
        }

        try {
            List<String> lines = Files.readAllLines(STATUS);
            return new ProcessMemory(bytes(lines, "VmRSS:"), bytes(lines, "VmHWM:"));
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + STATUS, e);
        }
    }

    private static long bytes(List<String> lines, String key) {
        return lines.stream()
                .filter(line -> line.startsWith(key))
                .mapToLong(line -> KIBIBYTE
                        * Long.parseLong(
                                line.substring(key.length()).replace("kB", "").strip()))
                .findFirst()
                .orElse(0);
    }
}

package org.sparkqlora.options;

import java.io.File;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The terminal that reads this process's standard error, if there is one. */
public final class Terminal {
    private static final Path ERROR_STREAM = Path.of("/proc/self/fd/2");
    private static final File DEVICE = new File("/dev/tty");
    private static final int USUAL_WIDTH = 80;
    private static final long LONGEST_MILLIS = 500;

    private Terminal() {}

    /** Whether it is a terminal on which a line can be written again, and whose user has nothing against it. */
    public static boolean isLive(Map<String, String> environment) {
        boolean plain = environment.getOrDefault("TERM", "").equals("dumb")
                || !environment.getOrDefault("NO_COLOR", "").isEmpty();
        boolean hasBlocks = Charset.defaultCharset().newEncoder().canEncode('█');
        return !plain && hasBlocks && errorIsTerminal();
    }

    /** Columns, or the usual number where they cannot be told. */
    static int width() {
        try {
            Process stty = new ProcessBuilder("stty", "size")
                    .redirectInput(DEVICE)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            if (!stty.waitFor(LONGEST_MILLIS, TimeUnit.MILLISECONDS)) {
                stty.destroyForcibly();
                return USUAL_WIDTH;
            }

            return columns(new String(stty.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            return USUAL_WIDTH; // no such program, or no terminal
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return USUAL_WIDTH;
        }
    }

    /** Of "rows columns"; a terminal that does not know says 0. */
    public static int columns(String size) {
        String[] parts = size.strip().split(" ", -1);
        boolean known = parts.length == 2 && parts[1].matches("[1-9][0-9]{0,4}");
        return known ? Integer.parseInt(parts[1]) : USUAL_WIDTH;
    }

    @SuppressWarnings("SystemConsoleNull") // true of Java 22 and later, where Spark 3.5 does not run
    private static boolean errorIsTerminal() {
        try {
            String target = Files.readSymbolicLink(ERROR_STREAM).toString();
            return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty") || target.equals("/dev/console");
        } catch (IOException | UnsupportedOperationException e) {
            return System.console() != null; // no Linux
        }
    }
}

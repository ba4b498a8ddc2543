package org.sparkqlora.cli;

import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A process of its own for a trial, so that its peak is that of the trial alone: a JVM started as this one was. The trial goes in by
 * its standard input; the largest resident memory it ever had comes out as the last line of its standard output.
 */
final class TrialProcess {
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final String PEAK = "VmHWM:";
    private static final long KIBIBYTE = 1024;

    private TrialProcess() {}

    /** Whether this system tells a process its peak: Linux does. */
    static boolean supported() {
        return Files.isReadable(STATUS);
    }

    /** The child. */
    public static void main(String[] args) throws IOException, ClassNotFoundException {
        QuietLogging.install();
        try (ObjectInputStream input = new ObjectInputStream(System.in)) {
            ((StepTrial) input.readObject()).run();
        }

        System.out.println(peak());
    }

    /** Runs {@code trial} and returns the bytes of its peak. */
    static long peakOf(StepTrial trial) {
        try {
            Process child = new ProcessBuilder(command())
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            try (OutputStream input = child.getOutputStream();
                    ObjectOutputStream objects = new ObjectOutputStream(input)) {
                objects.writeObject(trial);
            }

            List<String> lines = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .toList();
            requireDone(child.waitFor(), trial);
            return Long.parseLong(lines.get(lines.size() - 1));
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to measure " + methodOf(trial), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("Cannot measure %s: interrupted".formatted(methodOf(trial)), e);
        }
    }

    private static void requireDone(int code, StepTrial trial) {
        if (code != 0) {
            throw new IllegalArgumentException(
                    "Cannot measure %s: its process ended with code %d. Does it fit in memory, and in the heap (-Xmx)?"
                            .formatted(methodOf(trial), code));
        }
    }

    private static String methodOf(StepTrial trial) {
        return trial.model().spec().method().optionName();
    }

    private static List<String> command() {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(argument -> !argument.startsWith("-javaagent:") && !argument.startsWith("-agentlib:"))
                .forEach(command::add);
        command.add("-cp");
        command.add(ownCode() + System.getProperty("path.separator") + System.getProperty("java.class.path"));
        command.add(TrialProcess.class.getName());
        return command;
    }

    /** The jar that spark-submit loads is not on Java's class path. */
    private static Path ownCode() {
        try {
            return Path.of(TrialProcess.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException("Cannot find the code of this program", e);
        }
    }

    private static long peak() throws IOException {
        return Files.readAllLines(STATUS).stream()
                .filter(line -> line.startsWith(PEAK))
                .map(line -> line.substring(PEAK.length()).replace("kB", "").strip())
                .mapToLong(text -> Long.parseLong(text) * KIBIBYTE)
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("Cannot find %s in %s".formatted(PEAK, STATUS)));
    }
}

package org.sparkqlora.cli;

import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * A process of its own for a trial, so that its peak is that of the trial alone: an {@link OwnJvm}. The trial goes in by its
 * standard input; its {@link PeakMemory} comes out as the last line of its standard output.
 */
final class TrialProcess {
    private TrialProcess() {}

    /** The child. */
    public static void main(String[] args) throws IOException, ClassNotFoundException {
        QuietLogging.install();
        try (ObjectInputStream input = new ObjectInputStream(System.in)) {
            ((StepTrial) input.readObject()).run();
        }

        System.out.println(PeakMemory.bytes());
    }

    /** Runs {@code trial} and returns the bytes of its peak. */
    static long peakOf(StepTrial trial) {
        try {
            Process child = new ProcessBuilder(OwnJvm.command(TrialProcess.class, List.of()))
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
}

package org.sparkqlora.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.sparkqlora.model.Method;

/**
 * A training run in a process of its own, so that its peak is that of the run alone: an {@link OwnJvm} that runs {@code train} and
 * then prints its {@link PeakMemory}.
 */
final class MeasuredRun {
    private MeasuredRun() {}

    /** The child. */
    public static void main(String[] arguments) {
        QuietLogging.install();
        ExitCode code = Main.run(Console.ofProcess(), arguments);
        System.out.println(PeakMemory.bytes());
        Sessions.stop();
        System.exit(code.code());
    }

    /** Trains as {@code arguments} say. What it tells people goes to this process's stderr. */
    static MethodRun of(Method method, List<String> arguments) {
        try {
            Process child = new ProcessBuilder(OwnJvm.command(MeasuredRun.class, arguments))
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            child.getOutputStream().close();
            List<String> lines = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .toList();
            requireDone(method, child.waitFor());
            int last = lines.size() - 1;
            return ComparisonJson.run(method, lines.get(last - 1), Long.parseLong(lines.get(last)));
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to train with --method " + method.optionName(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("Cannot compare: interrupted", e);
        }
    }

    private static void requireDone(Method method, int code) {
        if (code != ExitCode.OK.code()) {
            throw new IllegalArgumentException(
                    "Cannot compare: training with --method %s ended with code %d; the reason is above"
                            .formatted(method.optionName(), code));
        }
    }
}

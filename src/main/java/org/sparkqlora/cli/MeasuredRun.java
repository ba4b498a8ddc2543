package org.sparkqlora.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.sparkqlora.model.Method;
import org.sparkqlora.train.ProcessMemory;

/**
 * A training run in a process of its own, so that its peak is that of the run alone: an {@link OwnJvm} that runs {@code train} and
 * then prints its peak: {@link ProcessMemory}.
 */
final class MeasuredRun {
    private MeasuredRun() {}

    /** The child. */
    public static void main(String[] arguments) {
        QuietLogging.install();
        ExitCode code = Main.run(Console.ofProcess(), arguments);
        System.out.println(ProcessMemory.ofThisProcess().peakBytes());
        Sessions.stop();
        System.exit(code.code());
    }

    /**
     * Trains by {@code method} as {@code options} of {@code train} say. What it tells people goes to this process's stderr.
     *
     * @param settings of Spark that replace those of this process
     */
    static MethodRun of(Method method, List<String> options, Map<String, String> settings) {
        List<String> arguments = new ArrayList<>(List.of("train", "--method=" + method.optionName()));
        arguments.addAll(options);
        try {
            Process child = new ProcessBuilder(OwnJvm.command(MeasuredRun.class, arguments, settings))
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
            throw new IllegalStateException("Cannot measure training: interrupted", e);
        }
    }

    private static void requireDone(Method method, int code) {
        if (code != ExitCode.OK.code()) {
            throw new IllegalArgumentException(
                    "Cannot measure training: with --method %s ended with code %d; the reason is above"
                            .formatted(method.optionName(), code));
        }
    }
}

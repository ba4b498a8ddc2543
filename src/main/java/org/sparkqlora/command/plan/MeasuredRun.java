package org.sparkqlora.command.plan;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.concurrent.CompletableFuture;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.command.Failure;
import org.sparkqlora.command.TrainCommand;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.options.Arguments;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.QuietLogging;
import org.sparkqlora.options.Sessions;
import org.sparkqlora.train.metrics.ProcessMemory;

/**
 * A training run in a process of its own, so that its peak is that of the run alone: an {@link ForkedJvm} that runs {@code train} and
 * then prints its peak: {@link ProcessMemory}.
 */
public final class MeasuredRun {
    private static final int REASON_LINES = 5;

    private MeasuredRun() {}

    /** The child. */
    public static void main(String[] arguments) {
        ForkedJvm.begin(() -> System.exit(ExitCode.RESUMABLE.code()));
        QuietLogging.install();
        ExitCode code = run(Console.ofProcess(), List.of(arguments));
        System.out.println(ProcessMemory.ofThisProcess().peakBytes());
        Sessions.stop();
        System.exit(code.code());
    }

    private static ExitCode run(Console console, List<String> arguments) {
        try {
            console.result(Arguments.parse(new TrainCommand(), arguments, TrainCommand::check)
                    .run(console));
            return ExitCode.OK;
        } catch (Exception | Error e) { // memory or stack that ran out: the process that measures must hear of it, too
            Failure failure = Failure.of(e);
            failure.report(console, "train");
            return failure.code();
        }
    }

    /**
     * Trains by {@code method} as {@code options} of {@code train} say.
     *
     * @param settings of Spark that replace those of this process
     * @param console takes what the run tells people
     */
    public static MethodRun of(Method method, List<String> options, Map<String, String> settings, Console console) {
        List<String> arguments = new ArrayList<>(List.of("--method=" + method.optionName()));
        arguments.addAll(options);
        try (ForkedJvm jvm = ForkedJvm.start(MeasuredRun.class, arguments, settings)) {
            Process child = jvm.process();
            CompletableFuture<String> told = CompletableFuture.supplyAsync(() -> passOn(child, console));
            List<String> lines = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .toList();
            requireDone(method, child.waitFor(), told.join());
            int last = lines.size() - 1;
            return ComparisonJson.run(method, lines.get(last - 1), Long.parseLong(lines.get(last)));
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to train with --method " + method.optionName(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("Cannot measure training: interrupted", e);
        }
    }

    /** Gives the child's notes to {@code console}, as they come, and returns the last of them: in a run that failed, why. */
    private static String passOn(Process child, Console console) {
        try (BufferedReader notes = child.errorReader(StandardCharsets.UTF_8)) {
            Deque<String> last = new ArrayDeque<>();
            for (String line = notes.readLine(); line != null; line = notes.readLine()) {
                console.note("%s", line);
                last.addLast(line);
                if (last.size() > REASON_LINES) {
                    last.removeFirst();
                }
            }

            return String.join("\n  ", last);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read what a training run tells", e);
        }
    }

    private static void requireDone(Method method, int code, String told) {
        if (code != ExitCode.OK.code()) {
            throw new BadInputException("Cannot measure training: with --method %s ended with code %d:\n  %s"
                    .formatted(method.optionName(), code, told));
        }
    }

    /**
     * The result of training by one method.
     *
     * @param trainedParameters numbers that trained
     * @param peakBytes the largest resident memory of the process, Spark included
     * @param tokensPerSecond of its steps, padding not counted
     * @param lastLoss of its last step
     * @param evaluationLoss over the held-out rows, at the end
     * @param resultBytes of what it published: an adapter, or a whole model
     */
    public record MethodRun(
            Method method,
            long trainedParameters,
            long peakBytes,
            double tokensPerSecond,
            double lastLoss,
            OptionalDouble evaluationLoss,
            long resultBytes) {}
}

package org.sparkqlora.command.plan;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.options.Console;
import org.sparkqlora.storage.TemporaryFolder;
import org.sparkqlora.train.BatchShape;

/**
 * Short training runs on arbitrary tokens, to see what memory each method takes on an executor. In documents of many lengths, as real
 * data has them: rows of one length would take less, for malloc then finds each block where the last one was.
 */
record TrialRuns(TemporaryFolder folder, BatchShape step, List<String> options) implements AutoCloseable {
    /** After as many, a run on real documents has come within 2 % of its peak. */
    private static final int STEPS = 8;

    private static final int SHORTEST = 16;

    /**
     * @param vocabulary tokens that the model knows
     * @param step of one executor
     * @param options of {@code train}
     */
    static TrialRuns of(int vocabulary, BatchShape step, List<String> options) {
        TrialRuns runs = new TrialRuns(TemporaryFolder.create("spark-qlora-plan"), step, options);
        try {
            Files.write(runs.data(), runs.documents(vocabulary));
            return runs;
        } catch (IOException e) {
            runs.close();
            throw new UncheckedIOException("Failed to write data to measure with", e);
        }
    }

    /** Bytes at the peak of a run by {@code method}: a local master with a slot for each task, a thread for each pass. */
    long peakOf(Method method, Console console) {
        List<String> arguments = new ArrayList<>(options);
        arguments.addAll(List.of(
                "--data=" + data(),
                "--format=tokens",
                "--output=" + folder.path().resolve(method.optionName()),
                "--max-steps=" + STEPS,
                "--batch-size=" + step.batchSize(),
                "--micro-batch-size=" + step.rowsAtOnce(),
                "--shards=" + step.shards()));
        Map<String, String> settings = Map.of(
                "spark.master",
                String.format(Locale.ROOT, "local[%d]", step.shards() * step.passes()),
                "spark.task.cpus",
                "" + step.passes());
        return MeasuredRun.of(method, arguments, settings, console).peakBytes();
    }

    @Override
    public void close() {
        folder.close();
    }

    /** For all steps, in lines of {@code --format tokens}. Lengths are as likely between 16 and 32 as between 256 and 512. */
    private List<String> documents(int vocabulary) {
        SplittableRandom random = new SplittableRandom(0);
        int shortest = Math.min(SHORTEST, step.sequenceLength());
        List<String> lines = new ArrayList<>();
        long missing = (long) STEPS * step.batchSize() * step.sequenceLength();
        while (missing > 0) {
            double share = random.nextDouble();
            int length = (int) Math.round(shortest * Math.pow((double) step.sequenceLength() / shortest, share));
            lines.add(line(random.ints(length, 0, vocabulary).toArray()));
            missing -= length;
        }

        return lines;
    }

    private static String line(int[] ids) {
        return "{\"input_ids\":%1$s,\"labels\":%1$s}".formatted(Arrays.toString(ids));
    }

    private Path data() {
        return folder.path().resolve("rows.jsonl");
    }
}

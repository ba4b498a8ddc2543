package org.sparkqlora.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.sparkqlora.model.Method;
import org.sparkqlora.tokenizer.TokenRow;
import org.sparkqlora.train.StepSize;

/** Short training runs on {@link ArbitraryRows}, to see what memory each method takes on an executor. */
final class TrialRuns implements AutoCloseable {
    private static final int STEPS = 3;

    private final Path folder;
    private final StepSize step;
    private final List<String> options;

    private TrialRuns(Path folder, StepSize step, List<String> options) {
        this.folder = folder;
        this.step = step;
        this.options = options;
    }

    /**
     * @param vocabulary tokens that the model knows
     * @param step of one executor
     * @param options of {@code train}
     */
    static TrialRuns of(int vocabulary, StepSize step, List<String> options) {
        try {
            TrialRuns runs = new TrialRuns(Files.createTempDirectory("spark-qlora-plan"), step, options);
            ArbitraryRows rows = new ArbitraryRows(step.batchSize(), vocabulary, step.sequenceLength());
            Files.write(
                    runs.data(),
                    rows.first(step.batchSize()).stream().map(TrialRuns::record).toList());
            return runs;
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to make a folder to measure in", e);
        }
    }

    /** Bytes at the peak of a run by {@code method}: a local master with a slot for each task. */
    long peakOf(Method method, Console console) {
        List<String> arguments = new ArrayList<>(options);
        arguments.addAll(List.of(
                "--data=" + data(),
                "--format=tokens",
                "--no-packing",
                "--output=" + folder.resolve(method.optionName()),
                "--max-steps=" + STEPS,
                "--batch-size=" + step.batchSize(),
                "--shards=" + step.shards()));
        return MeasuredRun.of(method, arguments, Map.of("spark.master", "local[%d]".formatted(step.shards())), console)
                .peakBytes();
    }

    @Override
    public void close() {
        try {
            LocalFiles.delete(folder);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to delete " + folder, e);
        }
    }

    /** Of {@code --format tokens}. */
    private static String record(TokenRow row) {
        return "{\"input_ids\":%1$s,\"labels\":%1$s}".formatted(Arrays.toString(row.ids()));
    }

    private Path data() {
        return folder.resolve("rows.jsonl");
    }
}

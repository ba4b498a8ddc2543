package org.sparkqlora.run.monitor;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.Consumer;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.train.metrics.Evaluated;
import org.sparkqlora.train.metrics.LogLines;
import org.sparkqlora.train.metrics.MetricsJson;
import org.sparkqlora.train.metrics.MetricsLog;
import org.sparkqlora.train.metrics.StepMetrics;

/**
 * {@code metrics.jsonl} on a file system that may not append, as object stores do not: lines are kept in memory, and the whole
 * file is replaced before every checkpoint. So a checkpoint always has the lines of its steps.
 */
public final class MetricsInStore implements MetricsLog {
    private final Location file;
    private final Runnable requireOwned;
    private final Consumer<String> warnings;
    private final List<String> lines = new ArrayList<>();

    /**
     * @param requireOwned throws an error when another driver has taken the folder over, whose lines must stay
     * @param warnings is told of lines that are damaged
     */
    public MetricsInStore(Location file, Runnable requireOwned, Consumer<String> warnings) {
        this.file = file;
        this.requireOwned = requireOwned;
        this.warnings = warnings;
    }

    @Override
    public void rewindTo(long step) {
        lines.clear();
        LogLines found = LogLines.upTo(step, file.text().orElse("").lines().toList());
        found.warnings(file.toString()).forEach(warnings);
        lines.addAll(found.kept());
    }

    @Override
    public List<Evaluated> evaluations() {
        return MetricsJson.evaluations(lines);
    }

    @Override
    public long last() {
        return MetricsJson.lastStep(lines);
    }

    @Override
    public void append(StepMetrics step, OptionalDouble evaluationLoss) {
        lines.add(MetricsJson.write(step, evaluationLoss));
    }

    @Override
    public void flush() {
        requireOwned.run();
        file.replaceText(String.join("\n", lines) + "\n");
    }

    @Override
    public void close() {
        lines.clear(); // those after the last checkpoint are of steps that will be taken again
    }
}

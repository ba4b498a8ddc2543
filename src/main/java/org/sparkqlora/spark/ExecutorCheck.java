package org.sparkqlora.spark;

import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;
import org.sparkqlora.train.ModelSource;

/** What an executor lacks. Runs in a task. */
final class ExecutorCheck implements FlatMapFunction<Integer, String> {
    private static final long serialVersionUID = 1L;

    private final ModelSource model;
    private final String rowFolder;
    private final Broadcast<SerializableConfiguration> configuration;

    ExecutorCheck(ModelSource model, String rowFolder, Broadcast<SerializableConfiguration> configuration) {
        this.model = model;
        this.rowFolder = rowFolder;
        this.configuration = configuration;
    }

    @Override
    public Iterator<String> call(Integer slot) {
        List<String> problems = new ArrayList<>();
        model.problem().ifPresent(problems::add);
        checkRows(problems);
        String host = SparkEnv.get().blockManager().blockManagerId().host();
        return problems.stream().map(problem -> host + ": " + problem).iterator();
    }

    private void checkRows(List<String> problems) {
        try {
            PreparedData.open(rowFolder, configuration.value().value());
        } catch (IllegalArgumentException | UncheckedIOException e) {
            problems.add(String.valueOf(e.getMessage()));
        }
    }
}

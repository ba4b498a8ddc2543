package org.sparkqlora.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.sparkqlora.command.demo.DemoLanguage;
import org.sparkqlora.command.demo.DemoModel;
import org.sparkqlora.command.demo.DemoModelJson;

/**
 * Runs of {@code train} on the demo's model and data, equal but for where their output goes.
 *
 * @param folder for the model and the data
 * @param model address of the model
 * @param source of the data
 * @param cache of models
 */
public record TrainRuns(Path folder, String model, String source, Path cache) {
    /** Writes what the runs read. */
    public static TrainRuns in(Path folder) throws IOException {
        DemoModel.write(folder.resolve("model"), 1);
        Files.write(
                folder.resolve("data.jsonl"),
                DemoLanguage.pirate().stream().map(DemoModelJson::messages).toList());
        return new TrainRuns(
                folder,
                folder.resolve("model").toString(),
                folder.resolve("data.jsonl").toUri().toString(),
                folder.resolve("cache"));
    }

    TrainRuns withData(String other) {
        return new TrainRuns(folder, model, other, cache);
    }

    TrainRuns withModel(String other) {
        return new TrainRuns(folder, other, source, cache);
    }

    /** As on another host. */
    TrainRuns withCache(Path other) {
        return new TrainRuns(folder, model, source, other);
    }

    public Path data() {
        return folder.resolve("data.jsonl");
    }

    public List<String> command(String output, String... options) {
        List<String> line = new ArrayList<>(List.of("train", "--output", output));
        line.addAll(input());
        line.addAll(List.of("--precision", "fp32", "--batch-size", "4", "--shards", "2"));
        line.addAll(List.of(options));
        return line;
    }

    public CommandRun train(String output, String... options) {
        return CommandRun.of(command(output, options).toArray(String[]::new));
    }

    public CommandRun evaluate(String adapter, String... options) {
        List<String> line = new ArrayList<>(List.of("evaluate", "--adapter", adapter));
        line.addAll(input());
        line.addAll(List.of(options));
        return CommandRun.of(line.toArray(String[]::new));
    }

    private List<String> input() {
        return List.of(
                "--model", model, "--data", source, "--model-cache", cache.toString(), "--sequence-length", "64");
    }
}

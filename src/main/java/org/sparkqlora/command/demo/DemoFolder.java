package org.sparkqlora.command.demo;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.run.output.EarlierRun;
import org.sparkqlora.run.output.RunFiles;
import org.sparkqlora.spark.cluster.Location;

/** The folder of the demo. It is made anew each time, but only if an earlier demo made it: a file of its own marks it. */
public final class DemoFolder {
    private static final String MARK = ".spark-qlora-demo";

    private final Path folder;
    private final long seed;

    public DemoFolder(Path folder, long seed) {
        this.folder = folder.normalize();
        this.seed = seed;
    }

    /** Removes what an earlier demo left, and writes the model that has learned nothing and all data. */
    public void writeInputs() {
        try {
            clear();
            Files.createDirectories(folder);
            Files.writeString(folder.resolve(MARK), "The next demo replaces what this one has made.\n");
            DemoModel.write(untaught(), seed);
            write(baseData(), DemoLanguage.base());
            write(tuningData(), DemoLanguage.pirate());
            write(heldOutData(), DemoLanguage.heldOut());
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to begin the demo in " + folder, e);
        }
    }

    public Path untaught() {
        return folder.resolve("untaught");
    }

    public Path baseData() {
        return folder.resolve("base.jsonl");
    }

    public Path tuningData() {
        return folder.resolve("pirate.jsonl");
    }

    public Path heldOutData() {
        return folder.resolve("held-out.jsonl");
    }

    public Path baseRun() {
        return folder.resolve("base");
    }

    Path tuningRun() {
        return folder.resolve("tuned");
    }

    public Path base() {
        return baseRun().resolve(RunFiles.MODEL);
    }

    Path adapter() {
        return tuningRun().resolve(RunFiles.ADAPTER);
    }

    Path cache() {
        return folder.resolve("cache");
    }

    private void clear() throws IOException {
        if (!Files.exists(folder.resolve(MARK))) {
            requireEmpty();
            return;
        }

        for (Path run : List.of(baseRun(), tuningRun())) {
            new EarlierRun(Location.of(run)).remove();
        }
    }

    private void requireEmpty() throws IOException {
        if (!Files.exists(folder)) {
            return;
        }

        try (Stream<Path> inside = Files.list(folder)) {
            if (inside.findAny().isPresent()) {
                throw new BadInputException(
                        "Cannot play the demo in %s: expected a folder that is empty or from an earlier demo, found other files"
                                .formatted(folder));
            }
        }
    }

    private static void write(Path file, List<DemoLanguage.DemoTurn> turns) throws IOException {
        Files.write(file, turns.stream().map(DemoModelJson::messages).toList());
    }
}

package org.sparkqlora.command.inspect;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.apache.hadoop.conf.Configuration;
import org.sparkqlora.checkpoint.CheckpointStore;
import org.sparkqlora.data.RecordFormat;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.run.model.AdapterStart;
import org.sparkqlora.run.output.PlanFile;
import org.sparkqlora.run.output.RunFiles;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.spark.prepare.Manifest;
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.storage.LocalFiles;
import org.sparkqlora.weights.WeightFolder;
import org.sparkqlora.weights.family.ModelConfigJson;
import org.sparkqlora.weights.gguf.GgufFolder;
import org.sparkqlora.weights.gguf.GgufSummary;
import org.sparkqlora.weights.safetensors.SafetensorsFile;

/** Finds out what a path holds by the files that mark each kind. */
final class Inspection {
    /** A kind of folder: the file that marks it, as a glob, and how it is described. */
    private record Kind(String mark, Function<Path, String> describe) {}

    private static final List<Kind> FOLDERS = List.of(
            new Kind("adapter_config.json", Inspection::adapter),
            new Kind(Manifest.FILE_NAME, Inspection::prepared),
            new Kind(RunFiles.PLAN, Inspection::output),
            new Kind(ModelConfigJson.FILE_NAME, Inspection::model),
            new Kind("step-*.json", Inspection::checkpoints));

    /** A store asks how many checkpoints to keep, though looking deletes none. */
    private static final int FEWEST_KEPT = 2;

    private Inspection() {}

    /** A JSON object that begins with the kind. */
    static String of(Path path, RecordFormat format) {
        if (!Files.exists(path)) {
            throw new BadInputException("Cannot inspect %s: expected a file or folder, found nothing".formatted(path));
        }

        if (Files.isDirectory(path)) {
            Optional<Kind> kind =
                    FOLDERS.stream().filter(known -> marks(path, known.mark())).findFirst();
            return kind.map(known -> known.describe().apply(path)).orElseThrow(() -> unknown(path));
        }

        return markedBy(path).orElseGet(() -> file(path, format));
    }

    /** The folder of a file whose name marks one, such as {@code plan.json}. */
    private static Optional<String> markedBy(Path file) {
        String name = file.getFileName().toString();
        return FOLDERS.stream()
                .filter(kind -> kind.mark().equals(name))
                .findFirst()
                .map(kind -> kind.describe().apply(file.toAbsolutePath().getParent()));
    }

    private static IllegalArgumentException unknown(Path folder) {
        return new BadInputException("Cannot inspect %s: expected a folder with one of %s, found none"
                .formatted(folder, FOLDERS.stream().map(Kind::mark).toList()));
    }

    private static boolean marks(Path folder, String mark) {
        try (DirectoryStream<Path> marked = Files.newDirectoryStream(folder, mark)) {
            return marked.iterator().hasNext();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to list " + folder, e);
        }
    }

    private static String checkpoints(Path folder) {
        return new CheckpointStore(LocalFiles.system(), LocalFiles.path(folder), FEWEST_KEPT)
                .newestGood()
                .map(newest -> InspectionJson.checkpoints(folder, newest))
                .orElseThrow(() -> unknown(folder));
    }

    private static String file(Path file, RecordFormat format) {
        if (file.getFileName().toString().endsWith(".safetensors")) {
            return InspectionJson.tensors(SafetensorsFile.open(file));
        }

        if (GgufFolder.isGguf(file)) {
            return InspectionJson.gguf(GgufSummary.of(file));
        }

        return InspectionJson.data(file, DataSurvey.of(file, format));
    }

    private static String model(Path folder) {
        try (WeightFolder weights = WeightFolder.open(folder)) {
            weights.checkShapes();
            return InspectionJson.model(weights);
        }
    }

    private static String adapter(Path folder) {
        return InspectionJson.adapter(folder, AdapterStart.config(Location.of(folder)));
    }

    private static String prepared(Path folder) {
        return InspectionJson.prepared(PreparedData.open(LocalFiles.path(folder).toString(), new Configuration()));
    }

    private static String output(Path folder) {
        return new PlanFile(Location.of(folder))
                .recorded()
                .map(plan -> InspectionJson.output(folder, plan))
                .orElseThrow(() -> unknown(folder));
    }
}

package org.sparkqlora.options;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import org.apache.hadoop.fs.FileSystem;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.checkpoint.FullModelFolder;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.storage.FolderCopy;
import org.sparkqlora.storage.LocalFiles;
import org.sparkqlora.storage.StorePath;
import org.sparkqlora.storage.TemporaryFolder;
import org.sparkqlora.weights.family.ModelConfigJson;
import picocli.CommandLine.Option;

/** The folder of a new model: written in place on this host, elsewhere by way of a folder for temporary files. */
@OptionGroup.In(OptionGroup.RUN)
public final class ModelOutput {

    @OptionGroup.Common
    @Option(
            names = "--output",
            required = true,
            paramLabel = "DIR",
            description =
                    "Folder to write, also on a Hadoop file system. It must not exist, and appears only when it is whole.")
    @Nullable
    Location folder;

    @OptionGroup.Common
    @Option(
            names = "--overwrite",
            description = "Replace the model that --output holds. Its files are told; others in that folder stay.")
    boolean overwrite;

    /** Of a command whose {@code --output} may be something else. */
    public static ModelOutput of(@Nullable Location folder, boolean overwrite) {
        ModelOutput output = new ModelOutput();
        output.folder = folder;
        output.overwrite = overwrite;
        return output;
    }

    public void check(Problems problems) {
        problems.requirePlaceForFile("--output", folder);
        requireAbsent(problems);
    }

    private void requireAbsent(Problems problems) {
        if (!overwrite) {
            problems.requireAbsent("--output", folder);
        }
    }

    /** A folder that a command goes on with, or has finished. */
    @FunctionalInterface
    public interface Known {
        boolean isKnown(FileSystem files, org.apache.hadoop.fs.Path folder) throws IOException;
    }

    /** As {@link #check}, of a command that goes on with folders of its own. */
    public void checkResumable(Problems problems, Known known) {
        problems.requirePlaceForFile("--output", folder);
        Location there = folder;
        if (there == null || !there.isLocal()) {
            return;
        }

        try {
            if (!known.isKnown(there.files(), there.path())) {
                requireAbsent(problems);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to look into " + there, e);
        }
    }

    public Location target() {
        return Required.value("--output", folder);
    }

    /** Throws an error if there is anything that this command may not replace, or something that it reads. */
    public void require(Console console, Overlap.Input... inputs) {
        if (!target().exists()) {
            return;
        }

        requireOverwritten();
        Overlap overlap = new Overlap(target(), List.of());
        for (Overlap.Input input : inputs) {
            overlap.refuse(input.option(), input.place());
        }

        console.note("--overwrite: replacing %s", String.join(", ", parts()));
    }

    /** Lets {@code write} fill a folder, which appears at the target when it is whole. */
    public <T> T write(Function<Path, T> write) {
        boolean isNew = !target().exists();
        if (isNew && target().isLocal()) {
            return write.apply(target().local());
        }

        if (!isNew) {
            requireOverwritten();
        }

        try (TemporaryFolder staging = TemporaryFolder.create("spark-qlora-model-")) {
            Path written = staging.path().resolve(target().path().getName());
            T result = write.apply(written);
            FolderCopy.replace(
                    LocalFiles.system(),
                    LocalFiles.path(written),
                    target().files(),
                    target().path(),
                    FullModelFolder::isPart);
            return result;
        }
    }

    private void requireOverwritten() {
        if (!overwrite) {
            throw new BadInputException(
                    "Cannot write %s: expected a folder that does not exist yet, found one".formatted(target()));
        }

        if (!parts().contains(ModelConfigJson.FILE_NAME)) {
            throw new BadInputException("Cannot overwrite %s: expected a folder with a %s, found none"
                    .formatted(target(), ModelConfigJson.FILE_NAME));
        }
    }

    private List<String> parts() {
        try {
            return StorePath.names(target().files(), target().path()).stream()
                    .filter(FullModelFolder::isPart)
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to look into " + target(), e);
        }
    }
}

package org.sparkqlora.run.monitor;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.fs.FileStatus;
import org.sparkqlora.run.output.RunFiles;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.spark.mlflow.MlflowFile;

/** {@code mlflow-run.txt} in an output folder: the run that it belongs to in MLflow, so that a resumed run goes on with it. */
final class MlflowRunFile {
    private final Location output;

    MlflowRunFile(Location output) {
        this.output = output;
    }

    Optional<String> read() {
        return output.resolve(RunFiles.MLFLOW_RUN).text().map(String::strip).filter(text -> !text.isEmpty());
    }

    void write(String run) {
        Location file = output.resolve(RunFiles.MLFLOW_RUN);
        file.replaceText(run + "\n");
    }

    /** The files of a folder, as artefacts below its name, and one file. */
    static List<MlflowFile> artifacts(Location folder, Location file) {
        List<MlflowFile> files = new ArrayList<>(artifacts(folder, folder.path().getName()));
        try {
            files.add(artifact(file.path().getName(), file, file.files().getFileStatus(file.path())));
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to find " + file, e);
        }

        return files;
    }

    /** The files of a folder, as artefacts below {@code name}. */
    static List<MlflowFile> artifacts(Location folder, String name) {
        List<MlflowFile> files = new ArrayList<>();
        try {
            for (FileStatus each : folder.files().listStatus(folder.path())) {
                if (each.isFile()) {
                    files.add(artifact(name + "/" + each.getPath().getName(), folder, each));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to list " + folder, e);
        }

        return files;
    }

    private static MlflowFile artifact(String path, Location place, FileStatus file) {
        return new MlflowFile(path, file.getLen(), () -> open(place, file));
    }

    private static InputStream open(Location place, FileStatus file) {
        try {
            return place.files().open(file.getPath());
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to open " + file.getPath(), e);
        }
    }
}

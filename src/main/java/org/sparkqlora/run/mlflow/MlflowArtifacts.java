package org.sparkqlora.run.mlflow;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.fs.FileStatus;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.spark.mlflow.MlflowFile;

/** Files as artefacts of a run in MLflow. */
public final class MlflowArtifacts {
    private MlflowArtifacts() {}

    /** The files of a folder, as artefacts below {@code name}. */
    public static List<MlflowFile> ofFolder(Location folder, String name) {
        List<MlflowFile> files = new ArrayList<>();
        try {
            for (FileStatus each : folder.files().listStatus(folder.path())) {
                if (each.isFile()) {
                    files.add(of(each, folder, name + "/" + each.getPath().getName()));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to list " + folder, e);
        }

        return files;
    }

    /** A file, as the artefact {@code path}. */
    public static MlflowFile ofFile(Location file, String path) {
        try {
            return of(file.files().getFileStatus(file.path()), file, path);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to find " + file, e);
        }
    }

    private static MlflowFile of(FileStatus file, Location place, String path) {
        return new MlflowFile(path, file.getLen(), () -> open(file, place));
    }

    private static InputStream open(FileStatus file, Location place) {
        try {
            return place.files().open(file.getPath());
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to open " + file.getPath(), e);
        }
    }
}

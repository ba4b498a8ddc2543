package org.sparkqlora.spark.mlflow;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.spark.mlflow.UnityCatalogJson.Version;
import org.sparkqlora.storage.LocalFiles;

/**
 * The registry of models in Unity Catalog, by the calls of MLflow's own client: a version is made, its files are written to the place that
 * the catalog names, with credentials that it lends, and it is finalized. Driver only.
 */
public final class UnityCatalog {
    private static final String MODELS = "/api/2.1/unity-catalog/models";
    private static final String CREDENTIALS = "/api/2.1/unity-catalog/temporary-model-version-credentials";
    private static final int CONFLICT = 409;
    private static final String S3 = "s3";

    private final MlflowHttp http;
    private final Configuration configuration;

    /** @param configuration of Hadoop, for the file systems of models */
    public UnityCatalog(MlflowAddress address, Configuration configuration) {
        this.http = new MlflowHttp(address, MlflowExperiment.Patience.DEFAULT.answer());
        this.configuration = configuration;
    }

    /**
     * Adds a version to a model, which is made if it is not there.
     *
     * @param source where the tracking server has the files
     * @param files of the model
     */
    String registerVersion(RegisteredName model, String source, String run, List<MlflowFile> files) throws IOException {
        MlflowHttp.Answer made = http.send("POST", MODELS, UnityCatalogJson.model(model));
        if (made.code() != CONFLICT && !MlflowJson.isAlreadyThere(made.text())) {
            http.accepted(made);
        }

        Version version =
                UnityCatalogJson.version(post(MODELS + "/versions", UnityCatalogJson.newVersion(model, source, run)));
        write(model, version, files);
        String place = MODELS + "/" + MlflowHttp.encode(model.name());
        http.accepted(http.send(
                "PATCH",
                place + "/versions/" + version.number() + "/finalize",
                UnityCatalogJson.finalized(model, version.number())));
        String alias = model.alias();
        if (alias != null) {
            http.accepted(http.send(
                    "PUT",
                    place + "/aliases/" + MlflowHttp.encode(alias),
                    UnityCatalogJson.alias(model, alias, version.number())));
        }

        return String.valueOf(version.number());
    }

    private String post(String path, String json) throws IOException {
        return http.accepted(http.send("POST", path, json));
    }

    private void write(RegisteredName model, Version version, List<MlflowFile> files) throws IOException {
        URI place = URI.create(version.storage());
        if (LocalFiles.SCHEME.equals(place.getScheme())) {
            write(LocalFiles.system(), new Path(version.storage()), files);
            return;
        }

        if (!S3.equals(place.getScheme())) {
            throw new BadInputException(
                    "Cannot register %s: expected a model in files or on S3, found %s. Register the run's model with MLflow's own client"
                            .formatted(model, version.storage()));
        }

        Configuration lent = new Configuration(configuration);
        UnityCatalogJson.credentials(post(CREDENTIALS, UnityCatalogJson.write(model, version.number())))
                .s3()
                .forEach(lent::set);
        Path folder = new Path(version.storage().replaceFirst(S3, "s3a"));
        try (FileSystem system = FileSystem.newInstance(folder.toUri(), lent)) {
            write(system, folder, files);
        }
    }

    private static void write(FileSystem system, Path folder, List<MlflowFile> files) throws IOException {
        for (MlflowFile file : files) {
            Path target = new Path(folder, file.path().substring(MlflowModel.FOLDER.length() + 1));
            try (InputStream in = file.content().get();
                    OutputStream out = system.create(target, false)) {
                in.transferTo(out);
            }
        }
    }
}

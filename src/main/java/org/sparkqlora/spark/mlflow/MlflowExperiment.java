package org.sparkqlora.spark.mlflow;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;
import org.sparkqlora.input.BadInputException;

/** An experiment of a tracking server that answered: what a run is to be a part of. */
public final class MlflowExperiment {
    private final MlflowServer server;
    private final String id;
    private final MlflowAddress address;
    private final MlflowPatience patience;

    private MlflowExperiment(MlflowServer server, String id, MlflowAddress address, MlflowPatience patience) {
        this.server = server;
        this.id = id;
        this.address = address;
        this.patience = patience;
    }

    /**
     * Finds or makes it. An {@link UncheckedIOException} where the server cannot be reached, a {@link BadInputException}
     * where it refuses or is none of MLflow's.
     */
    public static MlflowExperiment open(MlflowAddress address, String name) {
        return open(address, name, MlflowPatience.DEFAULT);
    }

    static MlflowExperiment open(MlflowAddress address, String name, MlflowPatience patience) {
        MlflowServer server = new MlflowServer(address, patience.answer());
        try {
            Optional<String> found = server.experiment(name);
            return new MlflowExperiment(
                    server, found.isPresent() ? found.get() : server.createExperiment(name), address, patience);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    MlflowServer server() {
        return server;
    }

    String id() {
        return id;
    }

    MlflowAddress address() {
        return address;
    }

    MlflowPatience patience() {
        return patience;
    }
}

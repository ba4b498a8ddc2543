package org.sparkqlora.spark.mlflow;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;

/** An experiment of a tracking server that answered: what a run is to be a part of. */
public final class MlflowExperiment {
    private final MlflowServer server;
    private final String id;
    private final MlflowAddress address;

    private MlflowExperiment(MlflowServer server, String id, MlflowAddress address) {
        this.server = server;
        this.id = id;
        this.address = address;
    }

    /**
     * Finds or makes it. An {@link UncheckedIOException} where the server cannot be reached, an {@link IllegalArgumentException}
     * where it refuses or is none of MLflow's.
     */
    public static MlflowExperiment open(MlflowAddress address, String name) {
        MlflowServer server = new MlflowServer(address);
        try {
            Optional<String> found = server.experiment(name);
            return new MlflowExperiment(
                    server, found.isPresent() ? found.get() : server.createExperiment(name), address);
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
}

package org.sparkqlora.spark.mlflow;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Optional;
import org.sparkqlora.input.BadInputException;

/** An experiment on a reachable tracking server, to which runs are added. */
public final class MlflowExperiment {
    private final MlflowServer server;
    private final String id;
    private final MlflowAddress address;
    private final Patience patience;

    private MlflowExperiment(MlflowServer server, String id, MlflowAddress address, Patience patience) {
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
        return open(address, name, Patience.DEFAULT);
    }

    static MlflowExperiment open(MlflowAddress address, String name, Patience patience) {
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

    Patience patience() {
        return patience;
    }

    /**
     * The time limits of requests to a tracking server.
     *
     * @param answer to a request, its body included; also the longest time in which it takes no byte of an upload
     * @param ending of the end of a run: queued metrics, files and final status together
     */
    record Patience(Duration answer, Duration ending) {
        static final Patience DEFAULT = new Patience(Duration.ofSeconds(30), Duration.ofMinutes(30));
    }
}

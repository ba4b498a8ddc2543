package org.sparkqlora.spark.mlflow;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.sparkqlora.http.AnswerBody;
import org.sparkqlora.input.BadInputException;

/**
 * The calls of a tracking server that a run needs. Each either does what it says or throws: {@link IOException} where the server
 * cannot be reached or is in trouble, {@link BadInputException} where it says no. None waits without end.
 */
final class MlflowServer {
    private static final Duration LOOK = Duration.ofMillis(200);
    private static final String API = "/api/2.0/mlflow/";
    private static final String ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts/";
    private static final int NOT_FOUND = 404;

    private final MlflowHttp http;

    /** A server that is waited for so long at each step. */
    MlflowServer(MlflowAddress address, Duration patience) {
        this.http = new MlflowHttp(address, patience);
    }

    /** The id of an experiment; empty if there is none of this name. */
    Optional<String> experiment(String name) throws IOException {
        MlflowHttp.Answer answer =
                http.send(http.request(API + "experiments/get-by-name?experiment_name=" + MlflowHttp.encode(name))
                        .GET());
        return answer.code() == NOT_FOUND && MlflowJson.isMissing(answer.text())
                ? Optional.empty()
                : Optional.of(MlflowJson.experimentId(http.accepted(answer)));
    }

    String createExperiment(String name) throws IOException {
        return MlflowJson.createdExperimentId(post("experiments/create", MlflowJson.named(name)));
    }

    MlflowRunId createRun(String experiment, String name, long startMillis, Map<String, String> tags)
            throws IOException {
        return MlflowJson.run(post("runs/create", MlflowJson.newRun(experiment, name, startMillis, tags)));
    }

    /** Marks a run as running again. */
    MlflowRunId continueRun(String run) throws IOException {
        post("runs/update", MlflowJson.status(run, "RUNNING", 0));
        return MlflowJson.run(http.accepted(http.send(
                http.request(API + "runs/get?run_id=" + MlflowHttp.encode(run)).GET())));
    }

    void endRun(String run, String status, long endMillis) throws IOException {
        post("runs/update", MlflowJson.status(run, status, endMillis));
    }

    void logParameters(String run, Map<String, String> parameters) throws IOException {
        post("runs/log-batch", MlflowJson.parameters(run, parameters));
    }

    void logInputs(String run, List<MlflowInput> inputs) throws IOException {
        post("runs/log-inputs", MlflowJson.inputs(run, inputs));
    }

    void logMetrics(String run, List<MlflowMetric> metrics) throws IOException {
        post("runs/log-batch", MlflowJson.metrics(run, metrics));
    }

    /**
     * Stores a file through the server.
     *
     * @param path below the server's place for artefacts
     * @param most time for all of it
     */
    void upload(String path, MlflowFile file, Duration most) throws IOException {
        String encoded =
                Arrays.stream(path.split("/", -1)).map(MlflowHttp::encode).collect(Collectors.joining("/"));
        UploadProgress progress = new UploadProgress();
        HttpRequest.BodyPublisher body = HttpRequest.BodyPublishers.ofInputStream(
                () -> progress.of(file.content().get()));
        HttpRequest request = http.request(ARTIFACTS + encoded)
                .timeout(most)
                .header("Content-Type", "application/octet-stream")
                .PUT(
                        file.length() == 0
                                ? HttpRequest.BodyPublishers.noBody()
                                : HttpRequest.BodyPublishers.fromPublisher(body, file.length()))
                .build();
        http.accepted(http.told(() ->
                await(http.client().sendAsync(request, AnswerBody.within(http.patience())), progress)));
    }

    /** Java's client does not tell of a server that takes no more. */
    private HttpResponse<AnswerBody> await(CompletableFuture<HttpResponse<AnswerBody>> answer, UploadProgress progress)
            throws IOException, InterruptedException {
        while (true) {
            try {
                return answer.get(LOOK.toMillis(), TimeUnit.MILLISECONDS);
            } catch (ExecutionException e) {
                throw e.getCause() instanceof IOException broken ? broken : new IOException(e.getCause());
            } catch (TimeoutException e) {
                if (progress.silence().compareTo(http.patience()) > 0) {
                    answer.cancel(true);
                    throw new HttpTimeoutException(
                            "it took no byte for %d s".formatted(http.patience().toSeconds()));
                }
            }
        }
    }

    /** Adds a version to a registered model, which is made if it is not there. */
    String registerVersion(RegisteredName model, String source, String run) throws IOException {
        MlflowHttp.Answer made = http.send("POST", API + "registered-models/create", MlflowJson.named(model.name()));
        if (!MlflowJson.isAlreadyThere(made.text())) {
            http.accepted(made);
        }

        String version =
                MlflowJson.version(post("model-versions/create", MlflowJson.newVersion(model.name(), source, run)));
        String alias = model.alias();
        if (alias != null) {
            post("registered-models/alias", MlflowJson.alias(model.name(), alias, version));
        }

        return version;
    }

    private String post(String call, String json) throws IOException {
        return http.accepted(http.send("POST", API + call, json));
    }

    /** The time at which a server last took bytes of a file. */
    private static final class UploadProgress {
        private volatile long lastNanos = System.nanoTime();

        /** The content, noting when it is read. */
        InputStream of(InputStream content) {
            return new FilterInputStream(content) {
                @Override
                public int read() throws IOException {
                    return noted(super.read());
                }

                @Override
                public int read(byte[] bytes, int from, int count) throws IOException {
                    return noted(super.read(bytes, from, count));
                }
            };
        }

        /** Time since the server last took bytes. */
        Duration silence() {
            return Duration.ofNanos(System.nanoTime() - lastNanos);
        }

        private int noted(int read) {
            lastNanos = System.nanoTime();
            return read;
        }
    }

    /** A value at a step. */
    record MlflowMetric(String key, double value, long timeMillis, long step) {}

    /**
     * A run as the server knows it.
     *
     * @param id names it
     * @param artifacts where its artefacts lie
     */
    record MlflowRunId(String id, String artifacts) {}
}

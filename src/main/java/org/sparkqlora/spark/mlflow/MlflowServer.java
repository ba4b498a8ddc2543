package org.sparkqlora.spark.mlflow;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.sparkqlora.input.BadInputException;

/**
 * The calls of a tracking server that a run needs. Each either does what it says or throws: {@link IOException} where the server
 * cannot be reached or is in trouble, {@link IllegalArgumentException} where it says no.
 */
final class MlflowServer {
    private static final Duration CONNECT = Duration.ofSeconds(10);
    private static final Duration ANSWER = Duration.ofSeconds(30);
    private static final Duration UPLOAD = Duration.ofMinutes(30);
    private static final String API = "/api/2.0/mlflow/";
    private static final String ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts/";
    private static final int NOT_FOUND = 404;
    private static final int TROUBLE = 500;
    private static final List<Integer> LATER = List.of(408, 425, 429);

    private final MlflowAddress address;
    private final HttpClient client;

    MlflowServer(MlflowAddress address) {
        this.address = address;
        this.client = HttpClient.newBuilder()
                .connectTimeout(CONNECT)
                .version(HttpClient.Version.HTTP_1_1)
                .build();
    }

    /** The number of an experiment; nothing if there is none of this name. */
    Optional<String> experiment(String name) throws IOException {
        HttpResponse<String> answer = send(request(API + "experiments/get-by-name?experiment_name=" + encode(name))
                .GET());
        return answer.statusCode() == NOT_FOUND && MlflowJson.isMissing(answer.body())
                ? Optional.empty()
                : Optional.of(MlflowJson.experimentId(accepted(answer)));
    }

    String createExperiment(String name) throws IOException {
        return MlflowJson.createdExperimentId(post("experiments/create", MlflowJson.named(name)));
    }

    MlflowRunId createRun(String experiment, String name, long startMillis, Map<String, String> tags)
            throws IOException {
        return MlflowJson.run(post("runs/create", MlflowJson.newRun(experiment, name, startMillis, tags)));
    }

    /** The run goes on. */
    MlflowRunId continueRun(String run) throws IOException {
        post("runs/update", MlflowJson.status(run, "RUNNING", 0));
        return MlflowJson.run(
                accepted(send(request(API + "runs/get?run_id=" + encode(run)).GET())));
    }

    void endRun(String run, String status, long endMillis) throws IOException {
        post("runs/update", MlflowJson.status(run, status, endMillis));
    }

    void logParameters(String run, Map<String, String> parameters) throws IOException {
        post("runs/log-batch", MlflowJson.parameters(run, parameters));
    }

    void logMetrics(String run, List<MlflowMetric> metrics) throws IOException {
        post("runs/log-batch", MlflowJson.metrics(run, metrics));
    }

    /**
     * Stores a file through the server.
     *
     * @param path below the server's place for artefacts
     */
    void upload(String path, long length, Supplier<InputStream> content) throws IOException {
        String encoded =
                Arrays.stream(path.split("/", -1)).map(MlflowServer::encode).collect(Collectors.joining("/"));
        HttpRequest.BodyPublisher body = HttpRequest.BodyPublishers.ofInputStream(content);
        accepted(send(request(ARTIFACTS + encoded)
                .timeout(UPLOAD)
                .header("Content-Type", "application/octet-stream")
                .PUT(
                        length == 0
                                ? HttpRequest.BodyPublishers.noBody()
                                : HttpRequest.BodyPublishers.fromPublisher(body, length))));
    }

    private String post(String call, String json) throws IOException {
        return accepted(send(request(API + call)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(json))));
    }

    private HttpRequest.Builder request(String path) {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(URI.create(address.server() + path)).timeout(ANSWER);
        String authorization = address.authorization();
        return authorization == null ? request : request.header("Authorization", authorization);
    }

    private HttpResponse<String> send(HttpRequest.Builder request) throws IOException {
        try {
            return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("Failed to talk to MLflow: interrupted", e);
        } catch (IOException e) {
            throw new IOException("Failed to reach MLflow at %s: %s".formatted(address, reason(e)), e);
        }
    }

    private String accepted(HttpResponse<String> answer) throws IOException {
        int code = answer.statusCode();
        if (code / 100 == 2) {
            return answer.body();
        }

        String message = "MLflow at %s answered %d: %s".formatted(address, code, MlflowJson.message(answer.body()));
        if (code >= TROUBLE || LATER.contains(code)) {
            throw new IOException(message);
        }

        throw new BadInputException(message);
    }

    private static String reason(IOException e) {
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }

    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }
}

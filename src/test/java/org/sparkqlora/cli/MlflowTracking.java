package org.sparkqlora.cli;

import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;

/** A real tracking server of MLflow on loopback. */
final class MlflowTracking implements AutoCloseable {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final Path REQUIREMENTS = Path.of("src", "test", "python", "mlflow-requirements.txt");
    private static final Duration LONGEST_WAIT = Duration.ofMinutes(2);

    private final Process process;
    private final String url;
    private final HttpClient client = HttpClient.newHttpClient();

    private MlflowTracking(Process process, String url) {
        this.process = process;
        this.url = url;
    }

    /** Keeps all it is told in {@code folder}. */
    static MlflowTracking start(Path folder) throws IOException, InterruptedException {
        Path python = PythonEnvironment.open(REQUIREMENTS).program("python");
        int port = freePort();
        ProcessBuilder builder = new ProcessBuilder(
                        python.toString(),
                        "-m",
                        "mlflow",
                        "server",
                        "--host",
                        "127.0.0.1",
                        "--port",
                        String.valueOf(port),
                        "--workers",
                        "1",
                        "--backend-store-uri",
                        "sqlite:///" + folder.resolve("mlflow.db"),
                        "--artifacts-destination",
                        folder.resolve("artifacts").toString())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("mlflow.log").toFile());
        builder.environment().put("MLFLOW_DISABLE_TELEMETRY", "true");
        builder.environment().remove("GLIBC_TUNABLES"); // meant for the JVM
        MlflowTracking server = new MlflowTracking(builder.start(), "http://127.0.0.1:" + port);
        server.awaitReady();
        return server;
    }

    /** The folder of MLflow's Python package, beside which those are that it needs. */
    Path library() throws IOException, InterruptedException {
        return PythonEnvironment.open(REQUIREMENTS).library("mlflow");
    }

    /** Python with MLflow. */
    Path python() throws IOException, InterruptedException {
        return PythonEnvironment.open(REQUIREMENTS).program("python");
    }

    String url() {
        return url;
    }

    JsonNode get(String call) throws IOException, InterruptedException {
        return MAPPER.readTree(bytes("/api/2.0/mlflow/" + call));
    }

    JsonNode post(String call, String json) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url + "/api/2.0/mlflow/" + call))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(json))
                .build();
        return MAPPER.readTree(
                client.send(request, HttpResponse.BodyHandlers.ofString()).body());
    }

    /** The bytes at a path. */
    byte[] bytes(String path) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url + path)).build();
        return client.send(request, HttpResponse.BodyHandlers.ofByteArray()).body();
    }

    @Override
    public void close() {
        process.descendants().forEach(ProcessHandle::destroy);
        process.destroy();
    }

    private void awaitReady() {
        await("MLflow to listen")
                .atMost(LONGEST_WAIT)
                .ignoreExceptionsInstanceOf(IOException.class)
                .until(() -> bytes("/health").length > 0);
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }
}
